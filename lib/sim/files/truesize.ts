/**
 * What a message costs in kernel memory (`skb->truesize`), which is what a socket's send buffer is counted in.
 *
 * The figures are those of a 64-bit Linux with pages of 4096 bytes; SIOCOUTQ shows them on a real one. Small parts lie in one block, rounded
 * up as the allocator does; what is too large for that lies in whole pages.
 */

const page = 4096
/** Of `struct sk_buff`, aligned. */
const header = 256
/** Of `struct skb_shared_info`, which stands behind the data in the same block. */
const sharedInfo = 320

function ceilTo(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit
}

/** A message whose bytes lie in one block. */
function linear(bytes: number): number {
  const wanted = ceilTo(bytes, 64) + sharedInfo
  let block = 512
  while (block < wanted) block *= 2
  return header + block
}

function split(bytes: number, largestLinear: number, largestPaged: number): number {
  if (bytes <= largestLinear) return linear(bytes)
  const paged = Math.min(largestPaged, ceilTo(bytes - largestLinear, page))
  const rest = Math.max(0, bytes - paged)
  return linear(rest) + ceilTo(paged, page)
}

/** The most bytes of one chunk of a stream, before the limit of the send buffer. */
export const streamChunkBytes = 36_544

/** The cost of one chunk of a SOCK_STREAM write. */
export function streamTruesize(bytes: number): number {
  return split(bytes, 3776, bytes)
}

/** The cost of one SOCK_DGRAM or SOCK_SEQPACKET message. */
export function messageTruesize(bytes: number): number {
  return split(bytes, 16_064, 69_632)
}
