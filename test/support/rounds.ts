/** How often a test repeats what may fail now and then: a few times in `npm test`, many in `npm run test:long`. */
export function rounds(few: number, many: number): number {
  return process.env.TRACEGATE_ROUNDS === 'many' ? many : few
}
