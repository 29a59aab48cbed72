/** Why the kernel refuses a seccomp filter: seccomp_check_filter and bpf_check_classic, for a hint. */

const instructionBytes = 8

/** Classes and codes of linux/bpf_common.h. */
const loadWordAbsolute = 0x20
const jump = 0x05
const divideByConstant = 0x34
const shifts: readonly number[] = [0x64, 0x74]
const memoryCodes: readonly number[] = [0x60, 0x61, 0x02, 0x03]

/** Every code that seccomp takes. */
const known = (): readonly number[] => [
  ...[loadWordAbsolute, 0x80, 0x81, 0x06, 0x16, 0x00, 0x01, 0x07, 0x87, ...memoryCodes],
  ...[0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, divideByConstant, 0x3c, 0x54, 0x5c, 0x44, 0x4c, 0xa4, 0xac, 0x84],
  ...[...shifts, 0x6c, 0x7c, jump, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d],
]

/** sizeof(struct seccomp_data). */
const dataBytes = 64
const memoryWords = 16

/** Names the first instruction that the kernel refuses; undefined where none is found. */
export function whyInvalid(filter: Uint8Array): string | undefined {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength)
  const count = filter.length / instructionBytes
  for (let i = 0; i < count; i++) {
    const at = i * instructionBytes
    const code = view.getUint16(at, true)
    const why = whyRefused(
      code,
      view.getUint8(at + 2),
      view.getUint8(at + 3),
      view.getUint32(at + 4, true),
      count - i - 1,
    )
    if (why !== undefined) return `instruction ${i} of the filter ${why}`
  }
  const last = view.getUint16((count - 1) * instructionBytes, true)
  return last === 0x06 || last === 0x16 ? undefined : 'the last instruction of the filter is no return'
}

/** Why the kernel refuses one instruction. `left`: how many instructions follow it. */
function whyRefused(code: number, ifTrue: number, ifFalse: number, k: number, left: number): string | undefined {
  if (!known().includes(code)) return `has code 0x${code.toString(16)}, which seccomp does not take`
  if (code === loadWordAbsolute && (k >= dataBytes || k % 4 !== 0)) return `loads from ${k}, where no field begins`
  if (code === divideByConstant && k === 0) return 'divides by 0'
  if (shifts.includes(code) && k >= 32) return `shifts by ${k} bits`
  if (memoryCodes.includes(code) && k >= memoryWords) return `uses memory word ${k} of ${memoryWords}`
  if (code === jump) return k >= left ? 'jumps past the end' : undefined
  if ((code & 7) === jump && Math.max(ifTrue, ifFalse) >= left) return 'jumps past the end'
  return undefined
}
