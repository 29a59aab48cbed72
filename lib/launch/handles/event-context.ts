/**
 * The asynchronous context of a child's events.
 *
 * A SIGCHLD comes in no context, or in that of whichever launch was first: a listener would see another request's
 * AsyncLocalStorage. As in child_process, the events have the context of their own launch or attach().
 */

import { AsyncResource } from 'node:async_hooks'

export class EventContext {
  readonly #resource = new AsyncResource('TRACEGATE_CHILD')

  /** Emits an event in this context. Without a listener, as at most stops, entering the context would be wasted. */
  emit<Event extends string>(emitter: { listenerCount(event: Event): number }, event: Event, emit: () => void): void {
    if (emitter.listenerCount(event) === 0) emit()
    else this.#resource.runInAsyncScope(emit)
  }
}
