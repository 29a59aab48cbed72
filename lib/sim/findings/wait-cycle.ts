/** The cycle of a wait-for graph. */

interface Waiting {
  readonly pid: number
  readonly waitsFor: readonly number[]
}

/** The shortest cycle of processes, each waiting for the next, through `preferred` if possible. */
export function cycleOf(waits: readonly Waiting[], preferred: number): number[] {
  const next = new Map<number, Set<number>>()
  for (const { pid, waitsFor } of waits) {
    const targets = next.get(pid) ?? new Set()
    next.set(pid, targets)
    for (const target of waitsFor) targets.add(target)
  }
  const throughPreferred = shortestFrom(preferred, next)
  if (throughPreferred.length > 0) return throughPreferred
  const cycles = [...next.keys()].map(pid => shortestFrom(pid, next)).filter(cycle => cycle.length > 0)
  return cycles.sort((a, b) => a.length - b.length)[0] ?? []
}

/** The shortest path from a process back to itself, breadth first. */
function shortestFrom(start: number, next: ReadonlyMap<number, ReadonlySet<number>>): number[] {
  const paths: number[][] = [[start]]
  const seen = new Set<number>()
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
    for (const target of next.get(path.at(-1)!) ?? []) {
      if (target === start) return path
      if (seen.has(target)) continue
      seen.add(target)
      paths.push([...path, target])
    }
  }
  return []
}
