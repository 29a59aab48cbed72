/** Streams of this process that become a child's descriptors. */

import type { Readable } from 'node:stream'
import { giveAwayChildStream } from './streams.ts'

/** What of a stream of Node's own reads ahead: a socket's or a terminal's handle. */
interface NodeStream {
  readonly _handle?: { reading?: boolean; readStop?(): void } | null
  readonly _readableState?: { reading: boolean }
}

/** Stops the reading of a stream that a child is to have: each byte read here would be lost to it. Gives what undoes that. */
export function giveAway(stream: object): () => void {
  const undo = giveAwayChildStream(stream)
  if (undo !== undefined) return undo
  const { _handle: handle, _readableState: state } = stream as NodeStream
  if (typeof handle?.readStop !== 'function' || state === undefined) return () => {}
  const readable = stream as Readable
  const wasFlowing = readable.readableFlowing
  // As child_process does it: no public method stops a read that is under way.
  handle.reading = false
  handle.readStop()
  readable.pause()
  state.reading = false
  return () => {
    if (wasFlowing) readable.resume()
  }
}
