/** A few instructions of x64 and arm64, to be written into a tracee. */

const isX64 = process.arch === 'x64'

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]
}

/** One instruction of arm64 that loads or stores, with an offset from the stack pointer of -256 to 255. */
function atStack(base: number, offset: number): number[] {
  return word((base | ((offset & 0x1ff) << 12) | (31 << 5)) >>> 0)
}

/** Does nothing. */
export const nop: readonly number[] = isX64 ? [0x90] : word(0xd503_201f)

/** Makes the system call getppid: two instructions, of which the second is `systemCall`. */
export const getppid: readonly number[] = isX64
  ? [0xb8, 0x6e, 0, 0, 0, 0x0f, 0x05]
  : [...word(0xd280_15a8), ...word(0xd400_0001)]
export const systemCallBytes = isX64 ? 2 : 4

/** Writes one byte to the stack pointer plus `offset`, which is small. */
export function write1(offset: number): number[] {
  return isX64 ? [0xc6, 0x44, 0x24, offset & 0xff, 1] : atStack(0x3800_0000, offset)
}

export function write8(offset: number): number[] {
  return isX64 ? [0x48, 0x89, 0x44, 0x24, offset & 0xff] : atStack(0xf800_0000, offset)
}

export function write16(offset: number): number[] {
  return isX64 ? [0x0f, 0x11, 0x44, 0x24, offset & 0xff] : atStack(0x3c80_0000, offset)
}

export function read1(offset: number): number[] {
  return isX64 ? [0x8a, 0x44, 0x24, offset & 0xff] : atStack(0x3840_0000, offset)
}

/** Adds 1 to the word at the stack pointer less 64, by an exclusive load and store of arm64, until they succeed. */
export const addExclusively: readonly (readonly number[])[] = [
  // sub x1, sp, #64; 1: ldxr w0, [x1]; add w0, w0, #1; stxr w2, w0, [x1]; cbnz w2, 1b
  0xd101_03e1, 0x885f_7c20, 0x1100_0400, 0x8802_7c20, 0x35ff_ffa2,
].map(word)

/** Jumps back by so many bytes, from its own address. */
export function jumpBack(bytes: number): number[] {
  return isX64 ? [0xeb, (-bytes - 2) & 0xff] : word(((0x14 << 24) | ((-bytes / 4) & 0x3ff_ffff)) >>> 0)
}
