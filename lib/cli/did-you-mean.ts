/** Suggestions for mistyped words. */

/** `: did you mean 'run'?` if a known word is similar, else ''. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = known
    .map(each => ({ each, edits: edits(word.slice(0, 40), each) }))
    .filter(({ each, edits }) => edits <= Math.max(1, Math.floor(each.replace(/^-+/, '').length / 3)))
    .sort((a, b) => a.edits - b.edits)[0]
  const start = word.length >= 3 ? known.filter(each => each.startsWith(word)) : []
  const meant = near?.each ?? (start.length === 1 ? start[0] : undefined)
  return meant === undefined ? '' : `: did you mean '${meant}'?`
}

/** The edit distance of two words: insertions, deletions, replacements, and swaps of neighbours. */
function edits(from: string, to: string): number {
  let [beforeLast, last]: number[][] = [[], Array.from({ length: to.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      row[j] = Math.min(row[j - 1]! + 1, last![j]! + 1, last![j - 1]! + (isSame ? 0 : 1))
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (isSwap) row[j] = Math.min(row[j]!, beforeLast![j - 2]! + 1)
    }
    beforeLast = last
    last = row
  }
  return last![to.length]!
}
