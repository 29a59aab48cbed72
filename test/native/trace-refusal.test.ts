/** A refused attach has a reason: the kernel's, or the library's before any call. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { launch } from '../../lib/launch/launch.ts'
import { SimulatedKernel } from '../../lib/sim/index.ts'
import { constants } from '../../lib/system/constants.ts'
import type { System } from '../../lib/system/system.ts'
import { temporaryFolder } from '../launch/support/compile.ts'
import { describeNative } from '../launch/support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser, whyNot } from '../launch/support/node.ts'
import { untilState } from '../launch/support/processes.ts'

const { __WALL } = constants

const entry = new URL('../../dist/index.js', import.meta.url).href

const ways = ['ptraceSeize', 'ptraceAttach'] as const

function attach(system: System, way: (typeof ways)[number], pid: number): void {
  if (way === 'ptraceSeize') system.ptraceSeize(pid, 0)
  else system.ptraceAttach(pid)
}

/** A child that waits for a byte that never comes, and a function that ends it. */
function forkWaiting(system: System): { readonly pid: number; end(): void } {
  const [read, write] = system.pipe2(constants.O_CLOEXEC)
  const pid = system.fork({
    actions: [
      { op: 'close', fd: write },
      { op: 'read', fd: read, bytes: 1 },
    ],
  })
  system.close(read)
  return {
    pid,
    end() {
      system.close(write)
      system.kill(pid, 'SIGKILL')
      while (system.waitpid(pid, __WALL)!.status.kind === 'stopped') {}
    },
  }
}

function commonTests(openSystem: () => System, untilZombie: (system: System, pid: number) => Promise<void>): void {
  describe.each(ways)('%s', way => {
    it('of a child that launch() waits for is refused before anything happens', async () => {
      const system = openSystem()
      await using child = await launch('/bin/cat', [], { trace: false, system })
      expect(() => attach(system, way, child.pid)).toThrow(
        expect.objectContaining({ code: 'EPERM', pid: child.pid, message: expect.stringContaining('launch()') }),
      )
      child.stdin!.end()
      expect(await child.exited).toMatchObject({ code: 0 })
    })

    it('of a child that was detached from is refused: launch() still waits for it', async () => {
      const system = openSystem()
      await using child = await launch('/bin/cat', [], { system })
      await child.detach()
      expect(() => attach(system, way, child.pid)).toThrow(/launch\(\) waits for this child/)
    })

    it('of a child that System.fork has made works', () => {
      const system = openSystem()
      const child = forkWaiting(system)
      attach(system, way, child.pid)
      child.end()
    })

    it('of a child that is traced already says by which process', () => {
      const system = openSystem()
      const child = forkWaiting(system)
      attach(system, way, child.pid)
      expect(() => attach(system, way, child.pid)).toThrow(/^EPERM.*traces.*already/)
      child.end()
    })

    it('of a zombie says that it has ended', async () => {
      const system = openSystem()
      const pid = system.fork({ actions: [{ op: 'exit', code: 0 }] })
      await untilZombie(system, pid)
      expect(() => attach(system, way, pid)).toThrow(/^EPERM.*it has ended/)
      expect(system.waitpid(pid)).toMatchObject({ pid })
    })
  })
}

describeNative('a refusal', system => {
  commonTests(
    () => system,
    (_, pid) => untilState(pid, 'Z'),
  )

  const lasting = async (): Promise<ChildProcess> => {
    const child = spawn('/bin/cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(child, 'spawn')
    return child
  }

  it.each(ways)('%s of a child of node:child_process comes before anything happens', async way => {
    const child = await lasting()
    expect(() => attach(system, way, child.pid!)).toThrow(/^EPERM.*node:child_process/)
    child.stdin!.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it.each(ways)('%s of this process and of its threads says so', way => {
    expect(() => attach(system, way, process.pid)).toThrow(/^EPERM.*a process cannot trace itself/)
  })

  it.each(ways)('%s of a process that another one traces names it', async way => {
    const ran = await runNode(`
      const { spawn } = await import('node:child_process')
      const system = openSystem()
      const attach = pid => ${way === 'ptraceSeize' ? 'system.ptraceSeize(pid, 0)' : 'system.ptraceAttach(pid)'}
      const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
      const grandchild = Number(String((await once(shell.stdout, 'data'))[0]))
      const script = [
        'const { openSystem } = await import(process.argv[1])',
        'openSystem().ptraceSeize(Number(process.argv[2]), 0)',
        'process.stdout.write("traced")',
        'process.stdin.resume()',
      ]
      const args = ['--input-type=module', '-e', script.join(';'), ${JSON.stringify(entry)}, String(grandchild)]
      const tracer = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
      await once(tracer.stdout, 'data')
      let message
      try { attach(grandchild) } catch (error) { message = error.message }
      report({ message, tracer: tracer.pid })
      tracer.kill('SIGKILL')
      process.kill(grandchild, 'SIGKILL')`)
    expect(ran.reports, ran.stderr).toHaveLength(1)
    const [{ message, tracer }] = ran.reports as [{ message: string; tracer: number }]
    expect(message, ran.stderr).toContain(`process ${tracer} (node) traces it already`)
  })

  it('of a request for a tracee that runs says that it is not stopped', () => {
    const child = forkWaiting(system)
    system.ptraceSeize(child.pid, 0)
    expect(() => system.ptraceCont(child.pid)).toThrow(/^ESRCH.*it is not stopped/)
    child.end()
  })

  it('of a request for a child that nothing traces says so', () => {
    const child = forkWaiting(system)
    expect(() => system.ptraceCont(child.pid)).toThrow(/^ESRCH.*it is not traced/)
    child.end()
  })

  it('of a thread of the kernel says what it is', context => {
    // Process 2 is kthreadd, if kernel threads are visible to this process.
    let name = ''
    try {
      name = readFileSync('/proc/2/comm', 'utf8').trim()
    } catch {}
    if (name !== 'kthreadd') return context.skip('no thread of the kernel is to be seen')
    expect(() => system.ptraceSeize(2, 0)).toThrow(/^EPERM.*a thread of the kernel/)
  })

  it('of a process that does not exist is ESRCH', () => {
    expect(() => system.ptraceSeize(0x3fffffff, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }))
  })
})

const ordinary = whyNoOrdinaryUser ?? whyNot('true')
describeNative('a launch under a tracer that follows', () => {
  it.skipIf(whyNot('strace') !== undefined)('names the tracer at step traceme', async () => {
    const behind = ['strace', '-f', '-o', '/dev/null']
    const { reports, stderr } = await runNode("report(await outcome(launch('/bin/true')))", { behind })
    expect(reports, stderr).toMatchObject([
      {
        code: 'EPERM',
        step: 'traceme',
        message: expect.stringMatching(/: process \d+ \(strace\) traces this process, and its children$/),
      },
    ])
  })
})

describeNative('a refusal of an ordinary user', () => {
  const said = async (script: string, behind: readonly string[] = asNobody ?? []): Promise<unknown> => {
    const ran = await runNode(
      `const said = act => { try { act(); return 'nothing' } catch (error) { return error.message } }
      ${script}`,
      { behind, cwd: '/' },
    )
    expect(ran.reports, ran.stderr).toHaveLength(1)
    return ran.reports[0]
  }

  it.skipIf(ordinary !== undefined)("of another user's process names the users", async () => {
    expect(await said('report(said(() => openSystem().ptraceSeize(1, 0)))')).toMatch(
      /^EPERM.*it belongs to user 0, this process to user \d+, without CAP_SYS_PTRACE/,
    )
  })

  it.skipIf(ordinary !== undefined)('of a program that its user cannot read says that it is not dumpable', async () => {
    const program = join(temporaryFolder(), 'unreadable')
    copyFileSync('/bin/sleep', program)
    chmodSync(dirname(program), 0o755)
    chmodSync(program, 0o111)
    const message = await said(`
      const { spawn } = await import('node:child_process')
      const shell = spawn('/bin/sh', ['-c', '"$0" 60 & echo $!; wait', ${JSON.stringify(program)}], { stdio: ['ignore', 'pipe', 'ignore'] })
      const pid = Number(String((await once(shell.stdout, 'data'))[0]))
      while (fs.readFileSync('/proc/' + pid + '/comm', 'utf8').trim() !== 'unreadable') {}
      report(said(() => openSystem().ptraceSeize(pid, 0)))
      process.kill(pid, 'SIGKILL')`)
    expect(message).toMatch(/^EPERM.*it is not dumpable .* its program cannot be read/)
  })

  const canChange = ordinary ?? (process.getuid?.() === 0 ? undefined : 'only root can change its user')
  it.skipIf(canChange !== undefined)('after a change of its effective user alone says so, at step seize', async () => {
    const script = `process.setegid(65534); process.seteuid(65534)
      report(await outcome(launch('/bin/true', [], { stdio: 'ignore', trace: 'seize' })))`
    expect(await said(script, [])).toMatchObject({
      code: 'EPERM',
      step: 'seize',
      message: expect.stringMatching(/it is not dumpable .*: its real, effective and saved user are not one, nor are/),
    })
  })

  it.skipIf(canChange !== undefined)(
    'after a change of its user says that it is not dumpable, at step seize',
    async () => {
      const script = `process.setgid(65534); process.setuid(65534)
      const results = []
      for (const memory of ['shared', 'copied']) results.push(await outcome(launch('/bin/true', [], { stdio: 'ignore', trace: 'seize', memory })))
      report(results)`
      for (const result of (await said(script, [])) as { code: string; step: string; message: string }[]) {
        expect(result).toMatchObject({ code: 'EPERM', step: 'seize' })
        expect(result.message).toMatch(/ptrace \(seize\): it is not dumpable .* neither is this process/)
      }
    },
  )
})

describe('a refusal of the simulated system', () =>
  commonTests(
    () => new SimulatedKernel().host,
    host => host.sleep(1),
  ))
