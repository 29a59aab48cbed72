/**
 * The kernel memory of a message (`skb->truesize`), which a socket's send buffer is charged with.
 *
 * The figures are those of a 64-bit Linux, where SIOCOUTQ shows them. A small message is one block, rounded up as the
 * allocator does. The bytes beyond that lie in whole pages.
 */

import { pageBytes } from '../base/page.ts'

/** Size of `struct sk_buff`, aligned. */
const header = 256
/** Size of `struct skb_shared_info`, which follows the data in the same block. */
const sharedInfo = 320

function ceilTo(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit
}

/** The cost of a message whose bytes lie in one block. */
function linear(bytes: number): number {
  const wanted = ceilTo(bytes, 64) + sharedInfo
  let block = 512
  while (block < wanted) block *= 2
  return header + block
}

function split(bytes: number, largestLinear: number, largestPaged: number): number {
  if (bytes <= largestLinear) return linear(bytes)
  const paged = Math.min(largestPaged, ceilTo(bytes - largestLinear, pageBytes))
  const rest = Math.max(0, bytes - paged)
  return linear(rest) + ceilTo(paged, pageBytes)
}

/** Most bytes in one chunk of a stream; half of a small send buffer may be less. */
export const streamChunkBytes = 36_544

/** The cost of one chunk of a SOCK_STREAM write. */
export function streamTruesize(bytes: number): number {
  return split(bytes, 3776, bytes)
}

/** The cost of one SOCK_DGRAM or SOCK_SEQPACKET message. */
export function messageTruesize(bytes: number): number {
  return split(bytes, 16_064, 69_632)
}
