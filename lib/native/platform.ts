/** Which build of the addon this machine needs, and which one a file is. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

/** The C library that the running program was linked with. */
export type Libc = 'glibc' | 'musl'

/** The architectures that the addon is written for. */
export const architectures: readonly string[] = ['x64', 'arm64']

// ELF's e_machine.
const machines: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' }
const elfHeaderBytes = 64

let known: { readonly libc: Libc; readonly version: string | undefined } | undefined

/** The C library of this process: glibc tells its version in Node's diagnostic report, musl has none to tell. */
export function libc(): Libc {
  known ??= reportedLibc()
  return known.libc
}

/** The version of the C library, where it tells. */
export function libcVersion(): string | undefined {
  known ??= reportedLibc()
  return known.version
}

function reportedLibc(): NonNullable<typeof known> {
  const report: (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined = process.report
  if (typeof report?.getReport !== 'function') return { libc: interpreterOf(process.execPath), version: undefined }
  // With network the report looks up names for every open socket, which may take seconds.
  const before = report.excludeNetwork ?? false
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
    const version = header?.glibcVersionRuntime
    return { libc: version === undefined ? 'musl' : 'glibc', version }
  } finally {
    report.excludeNetwork = before
  }
}

/** The platform as the prebuilt binaries are named after it: 'linux-x64-glibc'. */
export function platformName(): string {
  return `${process.platform}-${process.arch}${process.platform === 'linux' ? `-${libc()}` : ''}`
}

/** Why a shared library must not be loaded here; undefined where nothing speaks against it. Throws when it cannot be read. */
export function whyForeign(file: string): string | undefined {
  const bytes = readFileSync(file)
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF') return 'is not an ELF file'
  if (bytes.length < elfHeaderBytes) return 'is cut short'
  const machine = bytes.readUInt16LE(18)
  const architecture = machines[machine] ?? `ELF machine ${machine}`
  if (architecture !== process.arch) return `is built for ${architecture}; this is ${process.arch}`
  // Loading what lacks its end kills the process by SIGBUS. The table of sections, e_shoff on, is the end.
  const end = Number(bytes.readBigUInt64LE(40)) + bytes.readUInt16LE(58) * bytes.readUInt16LE(60)
  if (bytes.length < end) return 'is cut short'
  // The name by which glibc's programs ask for their library. A glibc build may load on musl, and crash at its first fork.
  const built: Libc = bytes.includes('libc.so.6\0', 0, 'latin1') ? 'glibc' : 'musl'
  const here = libc()
  return built === here ? undefined : `is built for ${built}; this is ${here}`
}

// For runtimes without reports: a program names its loader within its first page.
function interpreterOf(program: string): Libc {
  const page = Buffer.alloc(4096)
  const fd = openSync(program, 'r')
  try {
    readSync(fd, page, 0, page.length, 0)
  } finally {
    closeSync(fd)
  }
  return page.includes('ld-musl-') ? 'musl' : 'glibc'
}
