/** Which build of the addon this machine needs, and which build a file is. */

import { closeSync, openSync, readFileSync } from 'node:fs'
import { isElf, readAt, viewOf } from './elf.ts'
import { interpreterOf, mappedFiles, reportedGlibcVersion } from './own-program.ts'

/** The C library of the running program. */
export type Libc = 'glibc' | 'musl'

/** The architectures that the addon supports. */
export const architectures: readonly string[] = ['x64', 'arm64']

// ELF's e_machine.
const machines: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' }
const elfHeaderBytes = 64
// The names of needed libraries usually lie within this; to read all of the addon takes the first launch 0.5 ms.
const dynamicStringsBytes = 8192

let known: Libc | undefined

/** The C library of this process. */
export function libc(): Libc {
  known ??= findLibc()
  return known
}

/** The version of the C library, if it is known. */
export function libcVersion(): string | undefined {
  return reportedGlibcVersion()
}

/**
 * Reads the dynamic loader that the running program names, which costs one short read. Without one, the program is
 * static or was started through its loader. Its memory map then decides.
 */
function findLibc(): Libc {
  const named = libcNamedIn(interpreterOf('/proc/self/exe') ?? interpreterOf(process.execPath))
  return named ?? libcNamedIn(mappedFiles()) ?? (reportedGlibcVersion() === undefined ? 'musl' : 'glibc')
}

function libcNamedIn(paths: string | undefined): Libc | undefined {
  if (paths === undefined) return undefined
  if (paths.includes('ld-musl')) return 'musl'
  return /ld-linux|libc\.so\.6|libc-2\./.test(paths) ? 'glibc' : undefined
}

/** The platform, in the naming of the prebuilt binaries: 'linux-x64-glibc'. */
export function platformName(): string {
  return `${process.platform}-${process.arch}${process.platform === 'linux' ? `-${libc()}` : ''}`
}

/** Why a shared library must not be loaded here; undefined if it may be. Throws if it is unreadable. */
export function whyForeign(file: string): string | undefined {
  const fd = openSync(file, 'r')
  try {
    return whyForeignLibrary(fd)
  } finally {
    closeSync(fd)
  }
}

function whyForeignLibrary(fd: number): string | undefined {
  const start = readAt(fd, 0, dynamicStringsBytes)
  const view = viewOf(start)
  if (!isElf(view)) return 'is not an ELF file'
  if (start.length < elfHeaderBytes) return 'is cut short'
  const machine = view.getUint16(18, true)
  const architecture = machines[machine] ?? `ELF machine ${machine}`
  if (architecture !== process.arch) return `is built for ${architecture}; this is ${process.arch}`
  // Loading a truncated file kills the process by SIGBUS. A whole file ends with the section table, at e_shoff.
  const end = Number(view.getBigUint64(40, true)) + view.getUint16(58, true) * view.getUint16(60, true)
  if (!Number.isSafeInteger(end) || readAt(fd, end - 1, 1).length === 0) return 'is cut short'
  // A glibc build may load on musl, and crash at its first fork.
  const built: Libc = namesGlibc(start) || namesGlibc(readFileSync(fd)) ? 'glibc' : 'musl'
  const here = libc()
  return built === here ? undefined : `is built for ${built}; this is ${here}`
}

/** glibc programs name this library. */
function namesGlibc({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  return Buffer.from(buffer, byteOffset, byteLength).includes('libc.so.6\0', 0, 'latin1')
}
