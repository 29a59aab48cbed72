const none: readonly never[] = []

/**
 * An empty array for a field of something that lives as long as its world.
 *
 * V8 learns where array literals are allocated that survive, and soon puts them into the old generation, where they keep their world from being
 * collected with the young ones: of worlds made by the thousand half the time would go to the collector. A copy is not remembered so.
 */
export function youngArray<Element>(): Element[] {
  return none.slice()
}
