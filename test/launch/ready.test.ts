/** child.ready: what a program says of itself, by a descriptor or by sd_notify. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Channel } from '../../lib/launch/channel.ts'
import { launch } from '../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../lib/launch/options.ts'
import { openSystem } from '../../lib/open-system.ts'
import { explore, SimulatedKernel } from '../../lib/sim/index.ts'
import { constants } from '../../lib/system/constants.ts'
import { NotReadyError } from '../../lib/system/errors.ts'
import { bytes, rejection } from '../contract/helpers.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'
import { blocks } from '../support/pages.ts'
import { openDescriptors } from '../support/process-table.ts'
import { describeNative, withCalls } from './support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser, whyNot } from './support/node.ts'
import { textOf } from './support/streams.ts'

const plain = { trace: false, stdio: 'ignore' } as const
const conventions = ['notification-fd', 'sd_notify'] as const

const shell = (script: string, options: LaunchOptions) =>
  launch('/bin/sh', ['-c', script], { ...plain, ...options, trace: false })

/** A Python program that says READY=1 as libsystemd does, and other lines in datagrams of their own. */
const notify = (...datagrams: string[]) => `
import os, socket, sys
address = os.environ['NOTIFY_SOCKET']
address = '\\0' + address[1:] if address.startswith('@') else address
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.connect(address)
    for datagram in ${JSON.stringify(datagrams)}: s.send(datagram.encode())
`

describeNative('a notification descriptor', () => {
  const ready = 'notification-fd'

  it('is the first one beyond those of stdio, and its newline resolves ready', async () => {
    const child = await launch('/bin/sh', ['-c', 'echo $NOTIFICATION_FD; ls -l /proc/self/fd/; echo >&3; cat'], {
      trace: false,
      stdio: ['pipe', 'pipe', 'inherit'],
      ready,
    })
    await child.ready
    child.stdin.end()
    const text = await textOf(child.stdout)
    expect(text).toMatch(/^3\n/)
    expect(text).toMatch(/ 3 -> pipe:/)
    // And one of the listing itself.
    expect(text.match(/ \d+ -> /g)).toHaveLength(5)
    const other = await launch('/bin/sh', ['-c', 'echo >&$NOTIFICATION_FD; exec cat'], {
      trace: false,
      stdio: ['pipe', 'ignore', 'inherit', 'ignore', 'pipe'],
      ready,
    })
    await other.ready
    other.stdin.end()
    await other.exited
  })

  it('may be written more than once, and only a newline counts', async () => {
    const child = await shell(
      'printf starting >&3; sleep 0.05; printf "up\\n" >&3; echo more >&3; sleep 0.05; exit 7',
      { ready },
    )
    let isReady = false
    await child.ready.then(() => {
      isReady = true
    })
    expect(isReady).toBe(true)
    // SIGPIPE or EPIPE would have ended it.
    expect(await child.exited).toMatchObject({ code: 7 })
    expect(child.status).toBeNull()
  })

  it('that is closed without a newline rejects, while the child lives on', async () => {
    const child = await launch('/bin/sh', ['-c', 'exec 3>&-; cat'], {
      trace: false,
      stdio: ['pipe', 'ignore', 'ignore'],
      ready,
    })
    const error = await rejection(child.ready)
    expect(error).toBeInstanceOf(NotReadyError)
    expect(error).toMatchObject({ code: 'ERR_NOT_READY', pid: child.pid, status: null })
    expect(error.message).toMatch(/has closed its notification descriptor before it was ready$/)
    child.stdin.end()
    await child.exited
  })

  it('replaces a variable of that name', async () => {
    const env = { PATH: process.env.PATH, NOTIFICATION_FD: '99' }
    const child = await shell('echo >&$NOTIFICATION_FD', { ready, env })
    await child.ready
    await child.exited
  })

  it('is blocking for the program', async () => {
    const child = await launch('/bin/sh', ['-c', 'grep flags /proc/self/fdinfo/3; echo >&3'], {
      trace: false,
      stdio: ['ignore', 'pipe', 'inherit'],
      ready,
    })
    const flags = /^flags:\s+(\d+)\n$/.exec(await textOf(child.stdout))![1]!
    expect(Number.parseInt(flags, 8) & constants.O_NONBLOCK).toBe(0)
    await child.ready
  })
})

describeNative('both conventions', () => {
  it.each(conventions)('reject where the program ends before, with its status: %s', async ready => {
    const child = await shell('exit 3', { ready })
    const error = await rejection(child.ready)
    expect(error).toMatchObject({ name: 'NotReadyError', code: 'ERR_NOT_READY', pid: child.pid })
    expect(error).toMatchObject({ status: { kind: 'exited', code: 3, signal: null } })
    expect(error.message).toBe(`the child ${child.pid} exited with 3 before it was ready`)
    const killed = await shell('kill -9 $$', { ready })
    await expect(killed.ready).rejects.toThrow('was killed by SIGKILL before it was ready')
  })

  it.each(conventions)('reject where another waiter has reaped the child: %s', async ready => {
    const child = await shell('exec sleep 1000', { ready })
    child.kill('SIGKILL')
    openSystem('native').waitpid(child.pid)
    const error = await rejection(child.ready)
    expect(error).toMatchObject({ code: 'ERR_NOT_READY', status: null })
  })

  it.each(conventions)('give the same promise each time, and no unhandled rejection: %s', async ready => {
    const { reports, stderr, code } = await runNode(`
      process.on('unhandledRejection', error => report(['unhandled', error.message]))
      const start = () => launch('/bin/sh', ['-c', 'exit 3'], { trace: false, stdio: 'ignore', ready: '${ready}' })
      const touched = await start()
      report(touched.ready === touched.ready)
      const untouched = await start()
      await Promise.all([touched.exited, untouched.exited])
      await new Promise(resolve => setTimeout(resolve, 20))
      report((await outcome(untouched.ready)).code)
      const without = await launch('/bin/true', [], { trace: false })
      without.ready
      report([(await outcome(without.ready)).message.replace(/\\d+/, 'N'), without.status])`)
    expect({ reports, stderr, code }).toEqual({
      reports: [true, 'ERR_NOT_READY', ["the child N was launched without the option 'ready'", null]],
      stderr: '',
      code: 0,
    })
  })

  it.each(conventions)('keep the event loop alive only while ready is awaited: %s', async ready => {
    const say = ready === 'sd_notify' ? 'systemd-notify --ready || python3 -c "$PROGRAM"' : 'echo >&3'
    const { reports, code, stderr } = await runNode(
      `
      const start = script => launch('/bin/sh', ['-c', script], { trace: false, stdio: 'ignore', ready: '${ready}' })
      const child = await start('sleep 0.2; ${say}; exec sleep 1000')
      child.unref()
      await child.ready
      report('ready')
      process.on('exit', () => child.kill('SIGKILL'))`,
      { env: { ...process.env, PROGRAM: notify('READY=1') } },
    )
    expect({ reports, code, stderr }).toEqual({ reports: ['ready'], code: 0, stderr: '' })
  })

  it.each(conventions)('leave no descriptor, whichever way the launch and the program end: %s', async ready => {
    const before = openDescriptors().size
    await rejection(launch('/no/such/program', [], { ready }))
    await rejection(launch('/bin/true', [], { ready, beforeExec: () => Promise.reject(new Error('no')) }))
    const child = await shell('exec sleep 1000', { ready })
    await child[Symbol.asyncDispose]()
    await rejection(child.ready)
    const tracee = await launch('/bin/true', [], { ready, stdio: 'ignore' })
    await tracee.run()
    await rejection(tracee.ready)
    expect(openDescriptors().size).toBe(before)
  })

  it.each(conventions)('give the hook a promise that settles later: %s', async ready => {
    let settled: Promise<string> | undefined
    const tracee = await launch('/bin/true', [], {
      ready,
      stdio: 'ignore',
      beforeExec: child => {
        settled = rejection(child.ready).then(({ message }) => message)
      },
    })
    await tracee.run()
    expect(await settled).toMatch(/exited with 0 before it was ready$/)
  })

  it.skipIf(whyNoOrdinaryUser !== undefined).each(conventions)('work for an ordinary user: %s', async ready => {
    const script = ready === 'sd_notify' ? 'python3 -c "$PROGRAM"' : 'echo >&3'
    const options = { env: { ...process.env, PROGRAM: notify('READY=1\nSTATUS=up') } }
    const { reports, stderr } = await runNode(
      `const child = await launch('/bin/sh', ['-c', ${JSON.stringify(script)}], { trace: false, stdio: 'ignore', ready: '${ready}' })
       await child.ready
       report(child.status)
       await child.exited`,
      asNobody === undefined ? options : { ...options, behind: asNobody },
    )
    expect({ reports, stderr }).toEqual({ reports: [ready === 'sd_notify' ? 'up' : null], stderr: '' })
  })

  it.each(conventions)('work in a worker, whose end leaves nothing: %s', async ready => {
    const say = ready === 'sd_notify' ? ['python3', '-c', notify('READY=1')] : ['sh', '-c', 'echo >&3; sleep 0.01']
    const { reports, stderr } = await runNode(`
      const { Worker } = await import('node:worker_threads')
      const before = descriptors().length
      const worker = new Worker(\`
        import('\${${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}}').then(async ({ launch }) => {
          const { parentPort } = await import('node:worker_threads')
          const [file, ...args] = ${JSON.stringify(say).replaceAll('\\', '\\\\').replaceAll('`', '\\`')}
          const child = await launch(file, args, { trace: false, stdio: 'ignore', ready: '${ready}' })
          await child.ready
          const other = await launch('/bin/sleep', ['1000'], { stdio: 'ignore', ready: '${ready}' })
          parentPort.postMessage(other.pid)
        })\`, { eval: true })
      const [pid] = await once(worker, 'message')
      await worker.terminate()
      try { process.kill(pid, 'SIGKILL') } catch {}
      report(descriptors().filter(([, target]) => /^socket|^pipe/.test(target)).length - 3 <= before)`)
    expect({ reports, stderr }).toEqual({ reports: [true], stderr: '' })
  })

  it.each([1, 'notify', null, 'sd-notify'])('refuse another word by name: %s', async word => {
    const error = await rejection(launch('/bin/true', [], { ready: word as never }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(error.message).toContain("'options.ready' must be one of 'notification-fd', 'sd_notify'")
  })
})

describeNative('sd_notify', () => {
  const ready = 'sd_notify'
  const say = (...datagrams: string[]) =>
    launch('python3', ['-c', notify(...datagrams)], { ...plain, trace: false, ready })

  it('takes READY=1 among other lines, in one datagram or several; the last STATUS= counts', async () => {
    for (const datagrams of [
      ['READY=1'],
      ['STATUS=waking\nMAINPID=1', 'STATUS=up: a=b\nREADY=1\n'],
      ['EXTEND_TIMEOUT_USEC=1', 'READY=0', 'STATUS=up: a=b', 'X', '=', '', 'READY=1'],
    ]) {
      const child = await say(...datagrams)
      await child.ready
      await child.exited
      expect(child.status).toBe(datagrams.length === 1 ? null : 'up: a=b')
    }
  })

  it('rejects with what the program reported, where it ends before', async () => {
    const child = await say('STATUS=cannot bind', 'ERRNO=98')
    const error = await rejection(child.ready)
    expect(error).toMatchObject({ code: 'ERR_NOT_READY', errno: -98, status: { code: 0 } })
    expect(error.message).toMatch(/exited with 0 before it was ready; it reported EADDRINUSE: address already in use$/)
    expect(child.status).toBe('cannot bind')
    expect(await rejection((await say('ERRNO=none')).ready)).not.toHaveProperty('errno')
  })

  it('counts what a program says in its last moment', async () => {
    for (let i = 0; i < 20; i++) {
      const child = await say('READY=1')
      await child.exited
      await child.ready
    }
  })

  it.skipIf(process.getuid?.() !== 0 || whyNoOrdinaryUser !== undefined || !existsSync('/usr/bin/python3'))(
    'hears the child after it has become another user, and no stranger',
    async () => {
      const child = await launch(
        'python3',
        ['-c', `import os, socket\nos.setuid(65534)\n${notify('STATUS=nobody', 'READY=1')}`],
        {
          ...plain,
          trace: false,
          ready,
        },
      )
      await child.ready
      await child.exited
      expect(child.status).toBe('nobody')

      const victim = await launch('/bin/sh', ['-c', 'echo $NOTIFY_SOCKET; exec sleep 1000'], {
        trace: false,
        stdio: ['ignore', 'pipe', 'inherit'],
        ready,
      })
      const address = await new Promise<string>(resolve =>
        victim.stdout.once('data', chunk => resolve(String(chunk).trim())),
      )
      execFileSync(
        'setpriv',
        ['--reuid=65534', '--clear-groups', '/usr/bin/python3', '-c', notify('STATUS=forged', 'READY=1')],
        {
          env: { ...process.env, NOTIFY_SOCKET: address },
        },
      )
      expect(victim.status).toBeNull()
      await victim[Symbol.asyncDispose]()
      expect(await rejection(victim.ready)).toMatchObject({ code: 'ERR_NOT_READY' })
    },
  )

  it('is refused by name in a network namespace, which hides its socket', async () => {
    const error = await rejection(launch('/bin/true', [], { ready, namespaces: ['net'] }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(error.message).toContain("'options.ready' must be 'notification-fd' with a 'net' namespace")
  })

  it.skipIf(whyNot('systemd-notify') !== undefined)(
    'hears systemd-notify, which waits until it was heard',
    async () => {
      const child = await shell("systemd-notify --ready --status='all is well' && exec sleep 1000", { ready })
      await child.ready
      expect(child.status).toBe('all is well')
      await child.terminate()
    },
  )

  it.skipIf(whyNot('dbus-daemon') !== undefined)('hears dbus-daemon', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
    try {
      const address = `unix:path=${folder}/bus`
      const child = await launch('dbus-daemon', ['--session', '--nofork', '--nopidfile', `--address=${address}`], {
        ...plain,
        trace: false,
        ready,
      })
      const isReady = await child.ready.then(
        () => existsSync(`${folder}/bus`),
        () => 'this dbus-daemon was built without systemd',
      )
      expect([true, 'this dbus-daemon was built without systemd']).toContain(isReady)
      await child.terminate()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.skipIf(whyNoCompiler !== undefined || !existsSync('/usr/include/systemd/sd-daemon.h'))(
    'hears a C program that calls sd_notify(3)',
    async () => {
      const source = `#include <systemd/sd-daemon.h>
        #include <unistd.h>
        int main(void) {
          sd_notify(0, "STATUS=loading");
          if (sd_notify(0, "READY=1\\nSTATUS=serving") <= 0) return 1;
          pause();
        }`
      const child = await launch(compileSource('sd-notify', source, ['-lsystemd']), [], {
        ...plain,
        trace: false,
        ready,
      })
      await child.ready
      expect(child.status).toBe('serving')
      await child.terminate()
    },
  )
})

describeNative("s6's tools", () => {
  const ready = 'notification-fd'
  const s6 = (name: string) => it.skipIf(whyNot(name) !== undefined)
  const inFolder = async (body: (folder: string) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
    try {
      await body(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  s6('s6-ipcserver')('s6-ipcserver is ready once its socket is there', () =>
    inFolder(async folder => {
      const child = await shell(`exec s6-ipcserver -1 ${folder}/socket true >&$NOTIFICATION_FD`, { ready })
      await child.ready
      expect(existsSync(`${folder}/socket`)).toBe(true)
      await child.terminate()
    }),
  )

  s6('s6-svscan')('s6-svscan is ready once it supervises', () =>
    inFolder(async folder => {
      mkdirSync(`${folder}/scan`)
      const child = await shell(`exec s6-svscan -d $NOTIFICATION_FD ${folder}/scan`, { ready })
      await child.ready
      expect(existsSync(`${folder}/scan/.s6-svscan/control`)).toBe(true)
      await child.terminate()
    }),
  )

  s6('s6-log')('s6-log is ready once it logs', () =>
    inFolder(async folder => {
      const child = await launch('/bin/sh', ['-c', `exec s6-log -d 3 ${folder}/log`], {
        trace: false,
        stdio: ['pipe', 'ignore', 'inherit'],
        ready,
      })
      await child.ready
      expect(existsSync(`${folder}/log/current`)).toBe(true)
      child.stdin.end()
      expect(await child.exited).toMatchObject({ code: 0 })
    }),
  )
})

describeNative("the child's side", () => {
  it('in Node is a write to the descriptor, or a Channel of it', async () => {
    const script = `
      const fs = require('node:fs')
      fs.writeSync(Number(process.env.NOTIFICATION_FD), '\\n')
      import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}).then(({ Channel }) => {
        const channel = Channel.fromFds({ write: 3 })
        channel.notify()
        channel.notify()
        channel.close()
      })`
    const channel = Channel.open()
    const child = await launch(process.execPath, ['-e', script], {
      trace: false,
      stdio: ['ignore', 'inherit', 'inherit', channel],
      ready: 'notification-fd',
      env: process.env,
    })
    await child.ready
    await channel.wait()
    await channel.wait()
    expect(await rejection(channel.wait())).toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    channel.close()
    expect(await child.exited).toMatchObject({ code: 0 })
  })
})

describeNative('the programs in docs/readiness.md', () => {
  const [sh] = blocks('docs/readiness.md', 'sh')
  const [python] = blocks('docs/readiness.md', 'python')
  const [javascript] = blocks('docs/readiness.md', 'javascript')
  const [c, withLibsystemd] = blocks('docs/readiness.md', 'c')

  it('say that they are ready', async () => {
    for (const [file, ...args] of [
      ['/bin/sh', '-c', sh!],
      ['python3', '-c', python!],
      [process.execPath, '--input-type=module', '-e', javascript!],
    ] as const) {
      const child = await launch(file, args, { ...plain, trace: false, ready: 'notification-fd' })
      await child.ready
      await child.exited
    }
  })

  it.skipIf(whyNoCompiler !== undefined)('say so in C', async () => {
    const child = await launch(compileSource('ready', c!, ['-Wno-unused-result']), [], {
      ...plain,
      trace: false,
      ready: 'notification-fd',
    })
    await child.ready
    await child.exited
  })

  it.skipIf(whyNoCompiler !== undefined || !existsSync('/usr/include/systemd/sd-daemon.h'))(
    'say so in C, by libsystemd',
    async () => {
      const program = compileSource('ready-sd', withLibsystemd!, ['-lsystemd'])
      const child = await launch(program, [], { ...plain, trace: false, ready: 'sd_notify' })
      await child.ready
      expect(await child.exited).toMatchObject({ code: 0 })
    },
  )
})

describe('in the simulated system', () => {
  it('a notification descriptor works', async () => {
    const kernel = new SimulatedKernel()
    kernel.install('/bin/service', function* (process) {
      const fd = Number(process.env.find(entry => entry.startsWith('NOTIFICATION_FD='))?.slice(16))
      yield* process.sleep(100)
      yield* process.write(fd, bytes('\n'))
      yield* process.sleep(100)
      return 0
    })
    const child = await launch('/bin/service', { system: kernel.host, ...plain, ready: 'notification-fd' })
    await child.ready
    expect(kernel.host.now()).toBe(100)
    await child.exited
    const hasty = await launch('/bin/false', { system: kernel.host, ...plain, ready: 'notification-fd' })
    expect(await rejection(hasty.ready)).toMatchObject({ code: 'ERR_NOT_READY', status: { code: 1 } })
  })

  it.each([
    ['says so and ends', true, 0],
    ['ends without a word', false, 0],
    ['says so and ends, whatever one fault does', true, 1],
  ] as const)('a program that %s: ready settles under every schedule', async (_, speaks, faults) => {
    const { complete, failure } = await explore(
      async ({ kernel, system }) => {
        kernel.install('/bin/service', function* (process) {
          if (speaks) yield* process.write(3, bytes('\n'))
          return 3
        })
        const launching = launch('/bin/service', { system, ...plain, ready: 'notification-fd' })
        const child = await launching.catch(error => {
          if (faults === 0) throw error
          return undefined
        })
        const outcome = await child?.ready.then(
          () => 'ready',
          (error: NotReadyError) => error.status?.code,
        )
        if (faults === 0 && outcome !== (speaks ? 'ready' : 3)) throw new Error(`it is ${outcome}`)
        await child?.exited
      },
      { faults },
    )
    expect({ complete, failure: failure?.error.message }).toEqual({ complete: true, failure: undefined })
  })

  it('sd_notify is refused by name, as in any other System without such sockets', async () => {
    for (const system of [new SimulatedKernel().host, withCalls(new SimulatedKernel().host, {})]) {
      const error = await rejection(launch('/bin/true', { system, ready: 'sd_notify' }))
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
      expect(error.message).toContain("'options.ready' is not simulated")
    }
  })
})
