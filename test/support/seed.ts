/**
 * The seed of a test that draws at random: the same in every run, so that a run fails for what the code does and not
 * for what was drawn. TRACEGATE_SEED=fresh draws anew; a number is used as it is.
 */
export function seedOf(name: string): number {
  const { TRACEGATE_SEED: asked } = process.env
  if (asked === 'fresh') return Math.floor(Math.random() * 0x7fffffff)
  if (asked !== undefined && asked !== '') return Number(asked)
  let seed = 0
  for (const letter of name) seed = (Math.imul(seed, 31) + letter.charCodeAt(0)) & 0x7fffffff
  return seed
}
