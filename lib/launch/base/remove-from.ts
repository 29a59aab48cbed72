/** Removes an item from a list in which it is at most once. */
export function removeFrom<T>(list: T[], item: T): void {
  const at = list.indexOf(item)
  if (at >= 0) list.splice(at, 1)
}
