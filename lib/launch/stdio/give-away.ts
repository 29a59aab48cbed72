/** Streams of this process that become a child's descriptors. */

import type { Readable } from 'node:stream'
import { giveAwayChildStream } from './streams.ts'

/** The internals of a Node stream that read ahead: the handle of a socket or terminal. */
interface NodeStream {
  readonly _handle?: { reading?: boolean; readStop?(): void } | null
  readonly _readableState?: { reading: boolean }
}

/** Stops reading from a stream given to a child, which would lose each byte read here. Returns the undo. */
export function giveAway(stream: object): () => void {
  const undo = giveAwayChildStream(stream)
  if (undo !== undefined) return undo
  const { _handle: handle, _readableState: state } = stream as NodeStream
  if (typeof handle?.readStop !== 'function' || state === undefined) return () => {}
  const readable = stream as Readable
  const wasFlowing = readable.readableFlowing
  // As in child_process: no public method stops a read that is under way.
  handle.reading = false
  handle.readStop()
  readable.pause()
  state.reading = false
  return () => {
    if (wasFlowing) readable.resume()
  }
}
