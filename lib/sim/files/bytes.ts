/** Copies bytes; the few of a notification without making a view of them, which would cost more than they do. */
export function copyBytes(from: Uint8Array, start: number, to: Uint8Array, at: number, bytes: number): void {
  if (bytes > 16) to.set(from.subarray(start, start + bytes), at)
  else for (let i = 0; i < bytes; i++) to[at + i] = from[start + i]!
}
