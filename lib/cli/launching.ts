/** The commands that launch programs, in one file: each further file takes a millisecond to load. */

export { hold } from './hold.ts'
export { run } from './run.ts'
export { withTool } from './with/with.ts'
