/** Copies bytes. Up to 16, the size of a notification, are copied one by one: a view would cost more than the copy. */
export function copyBytes(from: Uint8Array, start: number, to: Uint8Array, at: number, bytes: number): void {
  if (bytes > 16) to.set(from.subarray(start, start + bytes), at)
  else for (let i = 0; i < bytes; i++) to[at + i] = from[start + i]!
}

/** About half of `bytes`, cut at the end of a piece; 0 if there is only one piece. */
export function halfInPieces(bytes: number, pieceBytes: number): number {
  return Math.floor(Math.ceil(bytes / pieceBytes) / 2) * pieceBytes
}
