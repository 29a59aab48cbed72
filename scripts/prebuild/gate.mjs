// Requirements on a prebuilt addon: it loads wherever its name promises, and it is small.

import { readElf } from './elf.mjs'

const mostBytes = 150 * 1024
const newestGlibc = [2, 28]

const libraries = {
  glibc: ['libc.so.6', 'libpthread.so.0', 'ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1'],
  musl: ['libc.so'],
}
const exported = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']
// Allowed: Node's symbols, and those of every C library. A C++ library's would be mangled names and the __cxa_
// family.
const cxx = /^(_Z|__cxa_(?!atexit$|finalize$)|__gxx_|_Unwind_)/

/**
 * The faults of an addon built for a target.
 *
 * @param {Buffer} bytes
 * @param {{ arch: string, libc: string }} target
 * @returns {string[]}
 */
export function faultsOfPrebuild(bytes, { arch, libc }) {
  const elf = readElf(bytes)
  const faults = []
  const list = (what, found) => {
    if (found.length > 0) faults.push(`${what}: ${found.join(', ')}`)
  }
  if (bytes.length > mostBytes) faults.push(`has ${bytes.length} bytes, more than ${mostBytes}`)
  if (elf.architecture !== arch) faults.push(`is built for ${elf.architecture}, not for ${arch}`)
  list(
    'is not stripped',
    elf.sections.filter(name => name === '.symtab' || name.startsWith('.debug')),
  )
  list(
    `needs libraries beyond ${libc}`,
    elf.needed.filter(name => !libraries[libc].includes(name)),
  )
  if (elf.needed.length === 0) faults.push('names no C library')
  list(`needs more than glibc ${newestGlibc.join('.')}`, elf.versions.filter(isTooNew))
  list(
    'needs a C++ runtime library',
    elf.undefined.filter(name => cxx.test(name)),
  )
  list(
    'gives symbols that are its own affair',
    elf.exported.filter(name => !exported.includes(name)),
  )
  list(
    'does not give',
    exported.filter(name => !elf.exported.includes(name)),
  )
  if (!elf.isNodelete) faults.push('may be unloaded (-z nodelete is missing)')
  return faults
}

// Functions that a compiler may call implicitly, to copy or fill a structure. None takes a lock or writes errno.
const compilersOwn = ['memcpy', 'memset', '_GLOBAL_OFFSET_TABLE_']

/** Faults of the object files of the child's interpreter, whose code runs where calls into libc are forbidden. */
export function faultsOfInterpreter(...objects) {
  const files = objects.map(bytes => readElf(bytes))
  const own = new Set(files.flatMap(({ exported }) => exported))
  const missing = files.flatMap(file => file.undefined).filter(name => !compilersOwn.includes(name) && !own.has(name))
  return missing.length > 0 ? [`the child's interpreter calls ${[...new Set(missing)].join(', ')}`] : []
}

function isTooNew(version) {
  const [, name, major, minor] = /^([A-Z]+)_(\d+)\.(\d+)/.exec(version) ?? [undefined, version, 0, 0]
  if (name !== 'GLIBC') return true
  return Number(major) !== newestGlibc[0] || Number(minor) > newestGlibc[1]
}
