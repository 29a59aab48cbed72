/** Copies bytes. Up to 16, the size of a notification, are copied one by one: a view would cost more than the copy. */
export function copyBytes(from: Uint8Array, start: number, to: Uint8Array, at: number, bytes: number): void {
  if (bytes > 16) to.set(from.subarray(start, start + bytes), at)
  else for (let i = 0; i < bytes; i++) to[at + i] = from[start + i]!
}

/** About half of so many bytes, at a border of the pieces in which they are moved; 0 where there is one piece. */
export function halfInPieces(bytes: number, pieceBytes: number): number {
  return Math.floor(Math.ceil(bytes / pieceBytes) / 2) * pieceBytes
}
