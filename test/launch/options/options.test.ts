/** Arguments that launch() rejects before any action, and its deadline and signal. */

import { expect, it } from 'vitest'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { stateOf, untilState } from '../support/processes.ts'
import { textOf } from '../support/streams.ts'

describeNative('launch', system => {
  /** A system that fails the test at any call. */
  const untouched = withCalls(system, {
    fork: () => {
      throw new Error('forked')
    },
    pipe2: () => {
      throw new Error('opened a pipe')
    },
  })

  it.each([
    ['an option it does not know', { gid_: 5 }, 'ERR_INVALID_ARG_VALUE', 'options.gid_'],
    ['a misspelt option', { Cwd: '/' }, 'ERR_INVALID_ARG_VALUE', 'options.Cwd'],
    ['an unknown option even when undefined', { shell: undefined }, 'ERR_INVALID_ARG_VALUE', 'options.shell'],
    ['child_process’s timeout', { timeout: 5 }, 'ERR_INVALID_ARG_VALUE', 'options.timeout'],
    ['a cwd that is no string', { cwd: 5 }, 'ERR_INVALID_ARG_TYPE', 'options.cwd'],
    ['a cwd with a NUL', { cwd: '/\0' }, 'ERR_INVALID_ARG_VALUE', 'options.cwd'],
    ['an env that is no object', { env: 'A=1' }, 'ERR_INVALID_ARG_TYPE', 'options.env'],
    ['an env value with a NUL', { env: { A: '\0' } }, 'ERR_INVALID_ARG_VALUE', 'options.env'],
    ['an env value that is a symbol', { env: { A: Symbol('x') } }, 'ERR_INVALID_ARG_TYPE', 'options.env.A'],
    ['an env key with a NUL', { env: { 'A\0': '' } }, 'ERR_INVALID_ARG_VALUE', 'options.env'],
    ['an argv0 with a NUL', { argv0: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', 'options.argv0'],
    ['an argv0 that is no string', { argv0: null }, 'ERR_INVALID_ARG_TYPE', 'options.argv0'],
    ['a way of tracing that is none', { trace: true }, 'ERR_INVALID_ARG_VALUE', 'options.trace'],
    ['an exitKill that is no boolean', { exitKill: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.exitKill'],
    ['a detached that is no boolean', { detached: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'options.detached'],
    ['a beforeExec that is no function', { beforeExec: {} }, 'ERR_INVALID_ARG_TYPE', 'options.beforeExec'],
    ['a timeout that is no number', { timeoutMs: '1' }, 'ERR_INVALID_ARG_TYPE', 'timeoutMs'],
    ['a timeout beyond 32 bits', { timeoutMs: 2 ** 31 }, 'ERR_OUT_OF_RANGE', 'timeoutMs'],
    ['a signal that is none', { signal: 'abort' }, 'ERR_INVALID_ARG_TYPE', 'signal'],
    ['a kind of memory that is none', { memory: 'stolen' }, 'ERR_INVALID_ARG_VALUE', 'options.memory'],
    ['a system that is none', { system: 'native' }, 'ERR_INVALID_ARG_TYPE', 'options.system'],
  ])('refuses %s', async (_, options, code, name) => {
    const error = await launch('/bin/true', [], { system: untouched, ...options } as never).catch(e => e)
    expect(error).toMatchObject({ code, message: expect.stringContaining(name) })
  })

  it.each([
    ['no program', [undefined], 'ERR_INVALID_ARG_TYPE', 'file'],
    ['an empty name', [''], 'ERR_INVALID_ARG_VALUE', 'file'],
    ['a name with a NUL', ['/bin/true\0x'], 'ERR_INVALID_ARG_VALUE', 'file'],
    ['arguments that are no list', ['/bin/true', 'x'], 'ERR_INVALID_ARG_TYPE', 'args'],
    ['an argument that is no string', ['/bin/true', ['a', 5]], 'ERR_INVALID_ARG_TYPE', 'args[1]'],
    ['an argument with a NUL', ['/bin/true', ['\0']], 'ERR_INVALID_ARG_VALUE', 'args[0]'],
    ['options that are no object', ['/bin/true', [], 5], 'ERR_INVALID_ARG_TYPE', 'options'],
    ['a hole among the arguments', ['/bin/true', new Array(2).fill('a', 0, 1)], 'ERR_INVALID_ARG_TYPE', 'args[1]'],
    [
      'an option it does not know that is inherited',
      ['/bin/true', [], Object.create({ uit: 5 })],
      'ERR_INVALID_ARG_VALUE',
      'options.uit',
    ],
    ['options twice', ['/bin/true', {}, {}], 'ERR_INVALID_ARG_TYPE', 'args'],
    ['a list for options', ['/bin/true', [], []], 'ERR_INVALID_ARG_TYPE', 'options'],
    [
      'a cwd that is a URL of another scheme',
      ['/bin/true', [], { cwd: new URL('http://x/') }],
      'ERR_INVALID_URL_SCHEME',
      'file',
    ],
    ['a cwd of another host', ['/bin/true', { cwd: new URL('file://x/') }], 'ERR_INVALID_FILE_URL_HOST', 'host'],
    [
      'a cwd whose URL has a NUL',
      ['/bin/true', { cwd: new URL('file:///%00') }],
      'ERR_INVALID_ARG_VALUE',
      'options.cwd',
    ],
    [
      'a list of descriptors without end',
      ['/bin/true', { stdio: new Array(2 ** 32 - 1) }],
      'ERR_OUT_OF_RANGE',
      'stdio',
    ],
    ['a system without calls', ['/bin/true', [], { system: {} }], 'ERR_INVALID_ARG_TYPE', 'options.system'],
    ['null for options', ['/bin/true', [], null], 'ERR_INVALID_ARG_TYPE', 'options'],
  ])('refuses %s', async (_, args, code, name) => {
    const error = await (launch as (...all: unknown[]) => Promise<unknown>)(...args).catch(e => e)
    expect(error).toMatchObject({ code, message: expect.stringContaining(name) })
  })

  it('takes undefined for every option as left out', async () => {
    const names = [
      'cwd',
      'env',
      'argv0',
      'stdio',
      'trace',
      'exitKill',
      'beforeExec',
      'timeoutMs',
      'signal',
      'detached',
      'memory',
      'system',
    ]
    await using tracee = await launch(
      '/bin/echo',
      ['x'],
      Object.fromEntries(names.map(name => [name, undefined])) as Omit<LaunchOptions, 'trace'>,
    )
    const text = textOf(tracee.stdout)
    await tracee.run()
    expect(await text).toBe('x\n')
  })

  it('takes its options in the second place where there are no arguments', async () => {
    await using child = await launch('/bin/pwd', { trace: false, cwd: '/usr' })
    expect(await textOf(child.stdout)).toBe('/usr\n')
    for (const none of [null, undefined]) {
      await using other = await launch('/bin/pwd', none as undefined, { trace: false, cwd: '/' })
      expect(await textOf(other.stdout)).toBe('/\n')
    }
  })

  it('takes a file URL for its cwd', async () => {
    await using child = await launch('/bin/pwd', { trace: false, cwd: new URL('file:///usr/%62in/') })
    expect(await textOf(child.stdout)).toMatch(/^\/(usr\/)?bin\n$/)
  })

  it('takes inherited options, but nothing that stands on Object.prototype', async () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>
    Object.assign(polluted, { cwd: '/nowhere', detached: 5, someModule: true })
    try {
      const defaults = { trace: false, argv0: 'renamed' } as const
      await using child = await launch('/bin/sh', ['-c', 'echo $0'], Object.create(defaults) as typeof defaults)
      expect(await textOf(child.stdout)).toBe('renamed\n')
    } finally {
      for (const name of ['cwd', 'detached', 'someModule']) delete polluted[name]
    }
  })

  it('takes the accessors of a class, and properties that are not enumerable', async () => {
    class Settings {
      get trace() {
        return false as const
      }
      get argv0() {
        return 'renamed'
      }
    }
    // A property of another name is the caller's own, if it is not enumerable.
    const settings = Object.defineProperties(new Settings(), { umask: { value: 0o123 }, helper: { value: () => {} } })
    await using child = await launch('/bin/sh', ['-c', 'echo $0; umask'], settings)
    expect(await textOf(child.stdout)).toBe('renamed\n0123\n')
  })

  it.each([-1, -0.5, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])(
    'has no limit by a timeoutMs of %d, nor have the waits and stops of the tracee',
    async timeoutMs => {
      const options = { system, timeoutMs, beforeExec: () => new Promise<void>(resolve => setTimeout(resolve, 30)) }
      const tracee = await launch('/bin/sleep', ['1000'], options)
      tracee.cont()
      setTimeout(() => tracee.kill('SIGUSR1'), 30)
      expect(await tracee.wait({ timeoutMs })).toMatchObject({ signal: 'SIGUSR1' })
      await tracee.stopAll({ timeoutMs })
      tracee.contAll()
      await tracee.detach({ timeoutMs, signal: 'SIGKILL' })
      expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    },
  )

  it('rejects at once with the reason of a signal that is aborted already', async () => {
    const signal = AbortSignal.abort(new Error('never mind'))
    await expect(launch('/bin/true', [], { signal, system: untouched })).rejects.toThrow('never mind')
  })

  it.each(modes)('aborted at any moment it undoes everything or is done ($name)', async mode => {
    // The setup file finds what is left behind. The range covers a launch that never began up to one that has
    // finished.
    for (let turns = 0; turns < 12; turns++) {
      const abort = new AbortController()
      const launching = launch('/bin/sleep', ['60'], {
        ...optionsOf(mode),
        signal: abort.signal,
        beforeExec: async () => {},
      })
      for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
      abort.abort('stop')
      const result = await launching.then(
        child => child,
        reason => reason,
      )
      if (result !== 'stop') await result[Symbol.asyncDispose]()
    }
  })

  it.each(modes)('neither its deadline nor its signal ends the child’s life ($name)', async mode => {
    const abort = new AbortController()
    await using child = await launch('/bin/cat', [], { ...optionsOf(mode), timeoutMs: 10_000, signal: abort.signal })
    abort.abort()
    if (child instanceof Tracee) child.cont()
    await untilState(child.pid, 'S')
    child.stdin?.end()
    expect(await child.exited).toMatchObject({ code: 0 })
  })

  it.each(modes)('that times out leaves nothing alive ($name)', async mode => {
    let pid = 0
    const options = {
      ...optionsOf(mode),
      timeoutMs: 0,
      beforeExec: (child: { pid: number }) => {
        pid = child.pid
        return new Promise<void>(() => {})
      },
    }
    await expect(launch('/bin/true', [], options)).rejects.toMatchObject({
      name: 'TimedOutError',
      code: 'ERR_TIMED_OUT',
    })
    if (pid !== 0) expect(stateOf(pid)).toBe('gone')
  })

  it('takes an environment of a megabyte', async () => {
    const env = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`KEY_${i}`, `${i}`.padEnd(1000, '.')]))
    for (const mode of modes) {
      await using child = await launch('/usr/bin/env', [], { ...optionsOf(mode), env })
      const text = textOf(child.stdout)
      if (child instanceof Tracee) void child.run()
      expect((await text).length).toBe(Object.entries(env).join('\n').length + 1)
    }
  })

  it('without beforeExec works under a system that counts its forks: one', async () => {
    let forks = 0
    const counting = withCalls(system, {
      fork: program => {
        forks++
        return system.fork(program)
      },
    })
    await using tracee = await launch('/bin/true', [], { system: counting })
    await tracee.run()
    expect(forks).toBe(1)
  })

  it.each([
    ['seize', 'ptraceSeize'],
    ['traceme', 'ptraceSetOptions'],
  ] as const)('undoes a launch whose tracer’s own call fails (%s)', async (trace, call) => {
    const refusing = withCalls(system, {
      [call]: () => {
        throw Object.assign(new Error('refused'), { code: 'EPERM' })
      },
    })
    await expect(launch('/bin/true', [], { trace, system: refusing })).rejects.toMatchObject({ code: 'EPERM' })
  })
})
