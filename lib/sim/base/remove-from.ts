/** Takes an element out of an array, if it is in. (`splice(indexOf(x), 1)` would take the last one where it is not.) */
export function removeFrom<Element>(array: Element[], element: Element): void {
  const index = array.indexOf(element)
  if (index >= 0) array.splice(index, 1)
}
