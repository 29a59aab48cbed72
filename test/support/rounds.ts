/** Whether this is `npm run test:long`. */
export const isLong = process.env.TRACEGATE_ROUNDS === 'many'

/** How often a test repeats what may fail now and then: a few times in `npm test`, many in `npm run test:long`. */
export function rounds(few: number, many: number): number {
  return isLong ? many : few
}
