/** The commands that launch programs, in one: each file more takes a millisecond to load. */

export { hold } from './hold.ts'
export { run } from './run.ts'
export { withTool } from './with.ts'
