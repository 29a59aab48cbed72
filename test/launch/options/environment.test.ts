/** The environment of a launched program: the values at the call to launch(), validated. */

import { afterEach, describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { describeNative } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'
import { textOf } from '../support/streams.ts'

const realEnv = process.env

afterEach(() => {
  process.env = realEnv
})

/** The environment that a program gets, and the function that starts it. */
interface World {
  readonly environmentOf: (options?: LaunchOptions) => Promise<string[]>
}

function sorted(env: Record<string, unknown>): string[] {
  return Object.entries(env)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
}

function behavesAsDocumented({ environmentOf }: World): void {
  it('is process.env by default', async () => {
    process.env.SET_JUST_NOW = 'ü\ud83d\ude00'
    expect(await environmentOf()).toEqual(sorted(process.env))
    delete process.env.SET_JUST_NOW
    expect((await environmentOf()).join()).not.toContain('SET_JUST_NOW')
  })

  it('is that of a process.env that was replaced', async () => {
    process.env = { A: '1', PATH: realEnv.PATH }
    expect(await environmentOf()).toEqual(sorted({ A: '1', PATH: realEnv.PATH }))
  })

  it('has inherited values, and neither undefined ones nor keys that are symbols', async () => {
    const env = Object.assign(Object.create({ INHERITED: 'yes', OWN: 'no' }), {
      OWN: '1',
      NONE: undefined,
      [Symbol('s')]: 'x',
    })
    expect(await environmentOf({ env })).toEqual(['INHERITED=yes', 'OWN=1'])
  })

  it('converts other values than strings by String()', async () => {
    const env = { A: 5, B: null, C: true, D: { toString: () => 'own' }, E: [1, 2], F: '', '': 'x', 'G=H': 'y' } as never
    expect(await environmentOf({ env })).toEqual(['=x', 'A=5', 'B=null', 'C=true', 'D=own', 'E=1,2', 'F=', 'G=H=y'])
  })

  it('is empty when that was asked for', async () => {
    expect(await environmentOf({ env: {} })).toEqual([])
  })

  it.each([
    ['a value with a NUL', { A: '1\0B=2' }, 'ERR_INVALID_ARG_VALUE', 'env.A'],
    ['a key with a NUL', { 'A\0B': '1' }, 'ERR_INVALID_ARG_VALUE', 'env.A\\u0000B'],
    ['an inherited value with a NUL', Object.create({ PATH: '/bin\0/x' }), 'ERR_INVALID_ARG_VALUE', 'env.PATH'],
    ['a NUL that String() brings', { A: { toString: () => '\0' } }, 'ERR_INVALID_ARG_VALUE', 'env.A'],
    ['a symbol', { A: Symbol('x') }, 'ERR_INVALID_ARG_TYPE', 'env.A'],
  ])('with %s is refused, given or found in process.env', async (_, env, code, name) => {
    await expect(environmentOf({ env })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`options.${name}`),
    })
    process.env = env
    await expect(environmentOf()).rejects.toMatchObject({ code, message: expect.stringContaining(`process.${name}`) })
  })

  it('that is refused does not show its values', async () => {
    await expect(environmentOf({ env: { TOKEN: 'secret\0' } })).rejects.not.toThrow('secret')
  })
}

describeNative('the environment of a program', () => {
  behavesAsDocumented({
    environmentOf: async options => {
      await using child = await launch('/usr/bin/env', ['-0'], { ...options, trace: false, stdio: 'pipe' })
      return (await textOf(child.stdout)).split('\0').slice(0, -1).sort()
    },
  })

  it.skipIf(whyNot('env') !== undefined)('follows every change between two launches of a process', async () => {
    const { reports, stderr } = await runNode(`
      import { Worker, SHARE_ENV } from 'node:worker_threads'
      const valueOf = async name => {
        const child = await launch('/usr/bin/env', ['-0'], { trace: false, stdio: ['ignore', 'pipe', 'inherit'] })
        const entries = (await child.stdout.toArray()).join('').split('\\0')
        return entries.find(entry => entry.startsWith(name + '='))?.slice(name.length + 1) ?? null
      }
      const own = process.env
      const seen = [await valueOf('A'), await valueOf('A')]
      for (const value of ['1', '2', '', 'longer']) {
        process.env.A = value
        seen.push(await valueOf('A'))
      }
      delete process.env.A
      seen.push(await valueOf('A'))
      await once(new Worker("process.env.A = 'shared'", { eval: true, env: SHARE_ENV }), 'exit')
      seen.push(await valueOf('A'))
      process.env = { ...own, A: 'replaced' }
      seen.push(await valueOf('A'))
      process.env = own
      seen.push(await valueOf('A'))
      Object.prototype.B = 'inherited'
      seen.push(await valueOf('B'))
      delete Object.prototype.B
      seen.push(await valueOf('B'))
      report(seen)
    `)
    expect(stderr).toBe('')
    const shared = ['shared', 'replaced', 'shared']
    expect(reports).toEqual([[null, null, '1', '2', '', 'longer', null, ...shared, 'inherited', null]])
  })

  it.skipIf(whyNot('env') !== undefined)(
    'is that of an object that stands for process.env from the start',
    async () => {
      // A preloaded module runs before the package is loaded, as a test runner's set-up does.
      const flags = ['--import', 'data:text/javascript,process.env={...process.env}']
      const { reports, stderr } = await runNode(
        `
      const seen = []
      for (const value of ['1', '2']) {
        process.env.A = value
        const child = await launch('/usr/bin/env', ['-0'], { trace: false, stdio: ['ignore', 'pipe', 'inherit'] })
        seen.push((await child.stdout.toArray()).join('').includes('A=' + value))
      }
      report([seen, Object.getOwnPropertySymbols(process.env).length])
    `,
        { flags },
      )
      expect(stderr).toBe('')
      expect(reports).toEqual([[[true, true], 0]])
    },
  )

  it.skipIf(whyNot('env') !== undefined)('of a worker with a NUL in it is refused', async () => {
    const { reports, stderr } = await runNode(`
      import { Worker } from 'node:worker_threads'
      const body = \`import(process.env.ENTRY).then(({ launch }) => launch('sh', ['-c', 'echo asked'])).catch(error =>
        process.getBuiltinModule('node:worker_threads').parentPort.postMessage(error.code + ' ' + error.message))\`
      for (const env of [{ A: '1\\0EVIL=2', PATH: '/bin' }, { PATH: '/bin/sh\\0x\\0-c' }]) {
        const worker = new Worker(body, { eval: true, env: { ...env, ENTRY: ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)} } })
        report(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)))
      }
    `)
    expect(stderr).toBe('')
    expect(reports).toEqual([
      expect.stringMatching(/^ERR_INVALID_ARG_VALUE .*process\.env\.A/),
      expect.stringMatching(/^ERR_INVALID_ARG_VALUE .*process\.env\.PATH/),
    ])
  })
})

describe('the environment of a simulated program', () => {
  behavesAsDocumented({
    environmentOf: async options => {
      const kernel = new SimulatedKernel()
      let seen: readonly string[] | undefined
      kernel.install('/bin/look', function* (self) {
        seen = self.env
        yield* self.exit(0)
      })
      const child = await launch('/bin/look', [], {
        ...options,
        trace: false,
        system: kernel.host,
        stdio: 'ignore',
      })
      await child.exited
      return [...(seen ?? [])].sort()
    },
  })
})
