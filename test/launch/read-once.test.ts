/** launch() reads each property once, so that the value it checks is the value it uses. */

import { describe, expect, it } from 'vitest'
import { launch } from '../../lib/launch/launch.ts'
import { openSystem } from '../../lib/open-system.ts'
import { SimulatedKernel } from '../../lib/sim/index.ts'
import type { System } from '../../lib/system/system.ts'
import { describeNative } from './support/native.ts'

/** A proxy of an object or a list that counts the reads of each property. */
function counted<T extends object>(target: T, reads: Map<string, number>, path = ''): T {
  return new Proxy(target, {
    get(from, key) {
      const value: unknown = Reflect.get(from, key)
      const name = `${path}${String(key)}`
      if (Object.hasOwn(from, key)) reads.set(name, (reads.get(name) ?? 0) + 1)
      return key === 'env' || key === 'stdio' ? counted(value as object, reads, `${name}.`) : value
    },
  })
}

/** The first read gives a good value. Each later one gives another program, argument or variable. */
function changing<T>(first: T, later: unknown): PropertyDescriptor {
  let asked = 0
  return { enumerable: true, get: () => (asked++ === 0 ? first : later) }
}

function readsOnce(open: () => System): void {
  it('reads each option, each argument, each variable and each entry of stdio once', async () => {
    const reads = new Map<string, number>()
    const options = {
      system: open(),
      cwd: '/',
      env: { PATH: '/bin', A: '1' },
      argv0: 'false',
      stdio: ['ignore', 'ignore', 'ignore'] as const,
      trace: false,
      exitKill: true,
      timeoutMs: 60_000,
      signal: new AbortController().signal,
      detached: true,
      memory: 'shared',
      beforeExec: () => {},
    } as const
    await using child = await launch('false', counted(['x', 'y'], reads, 'args.'), counted(options, reads))
    expect((await child.exited).code).toBe(1)
    const expected = [
      ...['args.length', 'args.0', 'args.1', 'env.PATH', 'env.A'],
      ...['stdio.length', 'stdio.0', 'stdio.1', 'stdio.2', ...Object.keys(options)],
    ]
    expect(Object.fromEntries(reads)).toEqual(Object.fromEntries(expected.map(name => [name, 1])))
  })

  it('uses the answer that it has checked', async () => {
    const options = Object.defineProperties({} as object, {
      system: changing(open(), {}),
      argv0: changing('false', 'sh\0-c\0exit 9'),
      cwd: changing('/', '/nowhere'),
      trace: changing(false, 'traceme'),
      stdio: changing('ignore', 'pipe'),
      env: changing(Object.defineProperty({}, 'PATH', changing('/bin', '/bin\0')), { PATH: '/nowhere' }),
    })
    const args = Object.defineProperty(['x'], 0, changing('x', 'x\0y'))
    await using child = await launch('false', args, options as { trace: false })
    expect((await child.exited).code).toBe(1)
    expect(child.stdout).toBeNull()
  })

  it('a program of fork() is read once, each field of its actions too', () => {
    const system = open()
    const action = Object.defineProperties({} as object, {
      op: changing('exit', 'execve'),
      code: changing(3, { valueOf: () => 4 }),
    })
    const program = Object.defineProperties({} as object, {
      actions: changing([action], [{ op: 'exit', code: 5 }]),
      memory: changing('copied', 'shared'),
      report: changing(undefined, 'x'),
    })
    const pid = system.fork(program as never)
    expect(system.waitpid(pid)?.status).toMatchObject({ code: 3 })
  })

  it('a getter that launches and forks meanwhile disturbs nothing', async () => {
    const system = open()
    const others: Promise<unknown>[] = []
    const pids: number[] = []
    const intrude = () => {
      others.push(
        launch('false', ['z'.repeat(9000)], { system, trace: false, stdio: 'ignore' }).then(child => child.exited),
      )
      pids.push(system.fork({ actions: Array.from({ length: 300 }, () => ({ op: 'exit', code: 0 })) }))
    }
    const env = {
      get PATH() {
        intrude()
        return '/bin:/usr/bin'
      },
      A: {
        toString() {
          intrude()
          return '1'
        },
      } as never,
    }
    const options = {
      system,
      env,
      trace: false,
      stdio: 'ignore',
      get cwd() {
        intrude()
        return '/'
      },
    } as const
    const get = () => {
      intrude()
      return 'x'
    }
    const args = Object.defineProperty(['x'], 0, { get })
    await using child = await launch('false', args, options)
    expect((await child.exited).code).toBe(1)
    for (const exit of await Promise.all(others)) expect(exit).toMatchObject({ code: 1 })
    for (const pid of pids) expect(system.waitpid(pid)?.raw).toBe(0)
  })
}

describeNative('launch', () => readsOnce(() => openSystem('native')))
describe('launch in a simulated world', () => readsOnce(() => new SimulatedKernel({ clock: 'real' }).host))
