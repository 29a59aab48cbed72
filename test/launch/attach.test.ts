/** attach(): a program that runs already. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { attach } from '../../lib/launch/attach.ts'
import { launch } from '../../lib/launch/launch.ts'
import { constants } from '../../lib/system/constants.ts'
import { compile, temporaryFolder, whyNoCompiler } from './support/compile.ts'
import { describeNative } from './support/native.ts'
import { runNode, whyNot } from './support/node.ts'
import { stateOf, statusOf, until } from './support/processes.ts'

const title = `attaching${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('traces', () => {})
  const program = compile(temporaryFolder(), 'many-threads', ['-pthread'])

  interface Running extends AsyncDisposable {
    readonly pid: number
    readonly shell: ChildProcess
    readonly text: () => string
  }

  /** A program that is the child of a shell. */
  async function running(args: string): Promise<Running> {
    const script = `exec 3<&0; ${program} ${args} <&3 & echo $!; wait $!; echo code $?`
    const shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    const closed = once(shell, 'close')
    let text = ''
    shell.stdout.on('data', chunk => {
      text += chunk
    })
    await until(
      'the program is ready, and the shell has told its pid',
      () => /ready.*\n/.test(text) && /^\d+\n/m.test(text),
    )
    return {
      pid: Number(/^\d+$/m.exec(text)?.[0]),
      shell,
      text: () => text,
      async [Symbol.asyncDispose]() {
        shell.stdin.end('x')
        await closed
      },
    }
  }

  const tasks = (pid: number) => readdirSync(`/proc/${pid}/task`).map(Number)

  it.each(['sleep', 'spin', 'come-and-go'])('stops every thread, and lets all go again (%s)', async what => {
    await using program = await running(`20 ${what}`)
    for (let round = 0; round < 5; round++) {
      await using tracee = await attach(program.pid, { timeoutMs: 20_000 })
      expect(tracee.threads.size).toBeGreaterThanOrEqual(21)
      expect([...tracee.threads.keys()].sort()).toEqual(tasks(program.pid).sort())
      for (const thread of tracee.threads.values()) {
        expect(stateOf(thread.tid)).toBe('t')
        expect(thread.stop).not.toBeNull()
        expect(thread.registers().pc).toBeGreaterThan(0n)
      }
      expect(tracee.tracing).toBe('seize')
      if (round % 2) tracee.contAll()
      await tracee.detach()
      expect(statusOf(program.pid, 'TracerPid')).toBe(0)
    }
    program.shell.stdin?.end('x')
    await until('its parent has its exit', () => program.text().includes('code 7'))
  })

  it('follows what is run: its end is the tracer’s and its parent’s', async () => {
    await using program = await running('5')
    await using tracee = await attach(program.pid)
    const end = tracee.run()
    program.shell.stdin?.end('x')
    expect(await end).toMatchObject({ code: 7 })
    await until('its parent has its exit', () => program.text().includes('code 7'))
  })

  it('leaves one that is stopped in state T, and tells its end after it was let go', async () => {
    await using program = await running('3')
    system.kill(program.pid, 'SIGSTOP')
    await until('it is stopped', () => stateOf(program.pid) === 'T')
    const tracee = await attach(program.pid)
    expect(tracee.stop).toEqual({ kind: 'stopped', signal: 'SIGSTOP', event: 'stop', reason: 'group' })
    await tracee.detach()
    expect(tasks(program.pid).map(stateOf)).toEqual(Array(4).fill('T'))
    const end = tracee.exited.catch(error => error.message)
    expect(tracee.kill('SIGCONT')).toBe(true)
    program.shell.stdin?.end('x')
    const told = await end
    if (typeof told === 'string') expect(told).toContain('Linux 6.15')
    else expect(told).toMatchObject({ code: 7 })
    expect(tracee.kill()).toBe(false)
  })

  it.each(['detach()', 'disposal'])(
    'tells the end of a child of System.fork after %s, and leaves it to its waiter',
    async how => {
      const gate = system.pipe2(constants.O_CLOEXEC)
      const pid = system.fork({
        actions: [
          { op: 'read', fd: gate[0], bytes: 1 },
          { op: 'exit', code: 6 },
        ],
      })
      const tracee = await attach(pid)
      if (how === 'disposal') await tracee[Symbol.asyncDispose]()
      else await tracee.detach()
      expect(stateOf(pid)).not.toBe('t')
      tracee.ref()
      system.write(gate[1], Uint8Array.of(1))
      expect(await tracee.exited).toMatchObject({ kind: 'exited', code: 6 })
      expect(tracee.kill()).toBe(false)
      expect(system.waitpid(pid)).toMatchObject({ pid, status: { code: 6 } })
      for (const fd of gate) system.close(fd)
    },
  )

  it('settles the waits and the loops of a process that was let go with its end', async () => {
    await using program = await running('3')
    const tracee = await attach(program.pid)
    const [, other] = tracee.threads.values()
    tracee.contAll()
    const ends = new Promise(resolve =>
      tracee.mainThread.once('end', (reason, status) => resolve([reason, status?.code])),
    )
    const waits = Promise.all([
      tracee.wait(),
      tracee.mainThread.wait(),
      tracee.stops().next(),
      tracee.everyStop().next(),
    ])
    await tracee.detach()
    const detached = expect.objectContaining({ code: 'ESRCH', message: expect.stringContaining('was detached') })
    expect(() => tracee.waitSync()).toThrow(detached)
    expect(() => other!.waitSync()).toThrow(detached)
    expect(() => other!.kill('SIGTERM')).toThrow(detached)
    program.shell.stdin?.end('x')
    const exit = await tracee.exited.catch(error => error)
    // Before Linux 6.15 the kernel keeps the exit code to itself.
    if (exit instanceof Error) return expect(await waits.catch((error: unknown) => error)).toBe(exit)
    const over = { done: true, value: undefined }
    expect(await waits).toMatchObject([{ code: 7 }, { code: 7 }, over, over])
    expect(await ends).toEqual(['exit', 7])
    expect(tracee.waitSync()).toMatchObject({ kind: 'exited', code: 7 })
  })

  it('detaches when it is disposed of, at any stop', async () => {
    await using program = await running('5 come-and-go')
    for (let round = 0; round < 5; round++) {
      await using tracee = await attach(program.pid)
      tracee.contAll()
      let stops = 0
      for await (const { thread, stop } of tracee.everyStop()) {
        if (++stops > round * 5) break
        thread.cont(stop.event ? undefined : stop.signal)
      }
    }
    expect(statusOf(program.pid, 'TracerPid')).toBe(0)
  })

  it.skipIf(whyNot('cc') !== undefined)(
    'leaves nothing in the program when Node exits, a breakpoint least of all',
    async () => {
      await using program = await running('10')
      const [, hit = ''] = /ready (0x\w+)/.exec(program.text()) ?? []
      const ran = await runNode(`
      const { attach } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})
      const tracee = await attach(${program.pid})
      tracee.breakpoint(${hit}n)
      tracee.contAll()
      process.exit(3)`)
      expect(ran).toMatchObject({ code: 3, stderr: '' })
      expect(statusOf(program.pid, 'TracerPid')).toBe(0)
      program.shell.stdin?.write('h')
      await until('every thread has called', () => program.text().split('hit\n').length - 1 === 10)
      program.shell.stdin?.end('x')
      await until('it has ended by itself', () => program.text().includes('code 7'))
    },
  )

  it('is refused with the reason', async () => {
    await using program = await running('1')
    await using tracee = await attach(program.pid)
    await using held = await launch('/bin/true')
    expect(tracee.stop).not.toBeNull()
    const refusals: [number, string, RegExp][] = [
      [process.pid, 'EPERM', /cannot trace itself/],
      [program.pid, 'EPERM', /this process traces \d+ already/],
      [held.pid, 'EPERM', /this process traces \d+ already/],
      [program.shell.pid!, 'EPERM', /node:child_process/],
      [2 ** 22 + 1, 'ESRCH', /no such process/],
      [0, 'ESRCH', /no such process/],
    ]
    for (const [pid, code, message] of refusals) {
      await expect(attach(pid), String(pid)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    }
    const thread = tasks(program.pid).find(tid => tid !== program.pid)!
    await expect(attach(thread)).rejects.toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('is a thread of'),
    })
    await expect(attach(1, { follow: false as never })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    await expect(attach('1' as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    await expect(attach(1, { nope: 1 } as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    await expect(attach(program.pid, { signal: AbortSignal.abort('before') })).rejects.toBe('before')
  })
})
