/**
 * The loads and stores of arm64 that are atomic together: LDXR up to STXR, and the loop around them.
 *
 * A stop in between clears the exclusive monitor: the store fails, and the program tries again, forever if it stops
 * each time. So a step must run the whole sequence at once.
 */

/** How far apart the load and the store may be, in instructions: the architecture guarantees no progress beyond. */
const mostInstructions = 32
const wordBytes = 4

/** Where a thread that has an exclusive access at `pc` comes out of its sequence; none if there is no such sequence. */
export function exitsOf(pc: bigint, read: (address: bigint, length: number) => Uint8Array): bigint[] {
  if (!isExclusive(wordAt(read(pc, wordBytes), 0))) return []
  const first = pc - BigInt(mostInstructions * wordBytes)
  const bytes = read(first, (2 * mostInstructions + 2) * wordBytes)
  const words = Array.from({ length: Math.floor(bytes.length / wordBytes) }, (_, i) => wordAt(bytes, i * wordBytes))
  const found = sequenceAt(words, mostInstructions)
  return found === undefined ? [] : exits(words, found).map(i => first + BigInt(i * wordBytes))
}

/** The indexes of its first and its last instruction. */
interface Sequence {
  readonly first: number
  readonly last: number
}

function sequenceAt(words: readonly number[], at: number): Sequence | undefined {
  let first = at
  while (!isExclusive(words[first]!) || !isLoad(words[first]!))
    if (--first < 0 || endsSearch(words[first]!)) return undefined
  let last = at
  while (!isExclusive(words[last]!) || isLoad(words[last]!))
    if (++last >= words.length - 1 || endsSearch(words[last]!)) return undefined
  // The branch back to the load, taken if the store has failed.
  const target = branchTarget(words[last + 1]!, last + 1)
  return target !== undefined && target <= last ? { first: Math.min(first, target), last: last + 1 } : { first, last }
}

function exits(words: readonly number[], { first, last }: Sequence): number[] {
  const found = new Set([last + 1])
  for (let i = Math.max(first, 0); i <= last; i++) {
    const target = branchTarget(words[i]!, i)
    if (target !== undefined && (target < first || target > last)) found.add(target)
  }
  return [...found]
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return bytes.length < offset + wordBytes
    ? 0
    : new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(offset, true)
}

/** LDXR, LDAXR, LDXP, LDAXP, STXR, STLXR, STXP, STLXP. */
function isExclusive(word: number): boolean {
  const isPair = (word & (1 << 21)) !== 0
  // Of bytes and halfwords there are no pairs: those are CASP.
  return (word & 0x3f80_0000) === 0x0800_0000 && (!isPair || word >>> 31 === 1)
}

function isLoad(word: number): boolean {
  return (word & (1 << 22)) !== 0
}

/**
 * Whether an instruction ends the search for the sequence: a call, a jump to a register, a system call, a trap; or a
 * barrier, a hint, an access to a system register.
 */
function endsSearch(word: number): boolean {
  return (word & 0xfc00_0000) >>> 0 === 0x9400_0000 || (word & 0xfc00_0000) >>> 0 === 0xd400_0000
}

/** Where a branch goes, counted in instructions: B, B.cond, CBZ, CBNZ, TBZ, TBNZ. */
function branchTarget(word: number, at: number): number | undefined {
  if ((word & 0xfc00_0000) >>> 0 === 0x1400_0000) return at + signed(word, 0, 26)
  if ((word & 0xff00_0010) >>> 0 === 0x5400_0000 || (word & 0x7e00_0000) === 0x3400_0000)
    return at + signed(word, 5, 19)
  if ((word & 0x7e00_0000) === 0x3600_0000) return at + signed(word, 5, 14)
  return undefined
}

function signed(word: number, shift: number, bits: number): number {
  return (word << (32 - bits - shift)) >> (32 - bits)
}
