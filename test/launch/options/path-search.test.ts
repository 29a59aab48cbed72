/** The PATH search for a program. */

import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { searchPath } from '../../../lib/launch/options/path-search.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { describeNative } from '../support/native.ts'

const candidates = (file: string, path?: unknown) => searchPath(file, path, 'options.env.PATH')

describe('the candidates for a name', () => {
  it('are one in each folder of PATH, each once, an empty folder being the working directory', () => {
    expect(candidates('sh', '/a:/b::/a:')).toEqual(['/a/sh', '/b/sh', 'sh'])
    expect(candidates('sh', '')).toEqual(['sh'])
    expect(candidates('sh')).toEqual(['/bin/sh', '/usr/bin/sh'])
  })

  it('leave a folder out that is too long to be one, in bytes', () => {
    const longest = '/'.repeat(4095)
    for (const tooLong of [`${longest}/`, 'ü'.repeat(2048), '\ud83d\ude00'.repeat(1024)]) {
      expect(candidates('sh', `${tooLong}:/bin`)).toEqual(['/bin/sh'])
    }
    expect(candidates('sh', `${longest}:/bin`)).toEqual([`${longest}/sh`, '/bin/sh'])
    expect(candidates('sh', `x${longest}`)).toEqual([`x${longest}/sh`])
  })

  it('are the file itself where it has a slash, whatever PATH is', () => {
    expect(candidates('./sh', 5)).toEqual(['./sh'])
  })

  it('are refused for a PATH that is no string', () => {
    for (const path of [5, null, {}, ['/bin'], true]) {
      expect(() => candidates('sh', path)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining('options.env.PATH') }),
      )
    }
  })
})

describeNative('the search of PATH', () => {
  it('goes on past a folder that is too long, as execvp does', async () => {
    const env = { PATH: `/${'x/'.repeat(2500)}:/${'y'.repeat(5000)}:/bin:/usr/bin` }
    await using child = await launch('sh', ['-c', 'exit 7'], { env, trace: false })
    expect((await child.exited).code).toBe(7)
    await expect(launch('sh', [], { env: { PATH: 'x'.repeat(5000) } })).rejects.toMatchObject({ code: 'ENAMETOOLONG' })
  })
})

describe('the search of PATH in a simulated world', () => {
  it('goes on past a folder that is too long', async () => {
    const system = new SimulatedKernel().host
    const env = { PATH: `/${'y'.repeat(5000)}:/bin` }
    await using child = await launch('false', [], { env, trace: false, system, stdio: 'ignore' })
    expect((await child.exited).code).toBe(1)
  })
})
