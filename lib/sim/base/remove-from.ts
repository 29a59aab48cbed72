/** Removes an element from an array, if it is there. `splice(indexOf(x), 1)` would remove the last one if it is not. */
export function removeFrom<Element>(array: Element[], element: Element): void {
  const index = array.indexOf(element)
  if (index >= 0) array.splice(index, 1)
}
