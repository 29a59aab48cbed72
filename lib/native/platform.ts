/** Which build of the addon this machine needs, and which build a file is. */

import { readFileSync } from 'node:fs'
import { isElf, viewOf } from './elf.ts'
import { interpreterOf, mappedFiles, reportedGlibcVersion } from './own-program.ts'

/** The C library of the running program. */
export type Libc = 'glibc' | 'musl'

/** The architectures that the addon supports. */
export const architectures: readonly string[] = ['x64', 'arm64']

// ELF's e_machine.
const machines: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' }
const elfHeaderBytes = 64

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
  const bytes = readFileSync(file)
  const view = viewOf(bytes)
  if (!isElf(view)) return 'is not an ELF file'
  if (bytes.length < elfHeaderBytes) return 'is cut short'
  const machine = view.getUint16(18, true)
  const architecture = machines[machine] ?? `ELF machine ${machine}`
  if (architecture !== process.arch) return `is built for ${architecture}; this is ${process.arch}`
  // Loading a truncated file kills the process by SIGBUS. A whole file ends with the section table, at e_shoff.
  const end = Number(view.getBigUint64(40, true)) + view.getUint16(58, true) * view.getUint16(60, true)
  if (bytes.length < end) return 'is cut short'
  // glibc programs name this library. A glibc build may load on musl, and crash at its first fork.
  const built: Libc = bytes.includes('libc.so.6\0', 0, 'latin1') ? 'glibc' : 'musl'
  const here = libc()
  return built === here ? undefined : `is built for ${built}; this is ${here}`
}
