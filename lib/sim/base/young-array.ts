const none: readonly never[] = []

/**
 * An empty array that starts in V8's young generation, for fields of objects that live as long as their world.
 *
 * V8 learns which array literals survive and soon allocates those in the old generation. There they keep their whole
 * world alive until a full collection, and an exploration makes thousands of worlds: half its time would go to the
 * collector. A copy is not subject to that.
 */
export function youngArray<Element>(): Element[] {
  return none.slice()
}
