/** The machine: its kernel, its C library, its addon. */

import { release } from 'node:os'
import type { AddonSearch } from '../native/load-addon.ts'
import { libc, libcVersion } from '../native/platform.ts'
import type { Fact } from './fact.ts'

/** CLOSE_RANGE needs 5.9. Older kernels take a slower path. */
const fastKernel: readonly [major: number, minor: number] = [5, 9]

/** The loaded addon, or every cause why none loads. */
export function addonFact({ platform, addon, from, causes, cure }: AddonSearch): Fact {
  const name = 'addon'
  if (addon !== undefined) return { name, status: 'ok', detail: `${from}, for ${platform}` }
  return {
    name,
    status: 'fail',
    detail: [`none for ${platform}: launches are simulated`, ...causes.map(({ message }) => message)].join('\n'),
    ...(cure !== undefined && { cure }),
  }
}

/** The kernel's version. */
export function kernelFact(platform = process.platform as string, version = release()): Fact {
  const name = 'kernel'
  if (platform !== 'linux') {
    return {
      name,
      status: 'fail',
      detail: `${platform}: ptrace as it is used here is Linux's`,
      cure: 'run it on Linux',
    }
  }
  const detail = `Linux ${version}`
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > fastKernel[0] || (major === fastKernel[0] && minor >= fastKernel[1]))
    return { name, status: 'ok', detail }
  return {
    name,
    status: 'warn',
    detail: `${detail}: without close_range, a child closes descriptors one by one, which takes longer`,
    cure: `Linux ${fastKernel.join('.')} or later`,
  }
}

/** Node's C library, which selects the addon. */
export function libcFact(): Fact {
  const version = libcVersion()
  return { name: 'libc', status: 'ok', detail: version === undefined ? libc() : `${libc()} ${version}` }
}
