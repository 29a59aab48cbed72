export type { ChildAction, ChildProgram } from '../../lib/system/child-program.ts'
export { constants } from '../../lib/system/constants.ts'
export type { System } from '../../lib/system/system.ts'
