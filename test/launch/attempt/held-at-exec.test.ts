/** launch() resolves with a tracee at its exec event, before its first instruction, or with a plain child. */

import { readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Child } from '../../../lib/launch/handles/child.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { modes, optionsOf, tracedModes } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, statusOf } from '../support/processes.ts'
import { textOf } from '../support/streams.ts'

/** The address of an ELF file's entry point. */
function elfEntry(path: string): bigint {
  return readFileSync(path).readBigUInt64LE(24)
}

/** The address of a file's first mapping in a process. */
function mappedAt(pid: number, path: string): bigint {
  const line = readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .find(each => each.endsWith(path))
  return BigInt(`0x${line?.split('-')[0]}`)
}

/** The program interpreter that an ELF file names. */
function interpreterOf(path: string): string {
  const text = readFileSync(path, 'latin1')
  const start = text.search(/\/lib[^\0]*\/ld-[^\0]*\0/)
  return realpathSync(text.slice(start, text.indexOf('\0', start)))
}

const isX64 = process.arch === 'x64'

describeNative('launch', () => {
  it.each(tracedModes)('resolves with a tracee stopped at its exec event ($name)', async mode => {
    await using tracee = await launch('/bin/true', [], optionsOf(mode))
    expect(tracee).toBeInstanceOf(Tracee)
    expect(tracee.stop).toEqual({ kind: 'stopped', signal: 'SIGTRAP', event: 'exec' })
    expect(stateOf(tracee.pid)).toBe('t')
    expect(statusOf(tracee.pid, 'TracerPid')).toBe(process.pid)
    expect(readlinkSync(`/proc/${tracee.pid}/exe`)).toBe(realpathSync('/bin/true'))
    expect(await tracee.run()).toMatchObject({ kind: 'exited', code: 0, signal: null })
  })

  it.each(modes.filter(mode => mode.trace === false))('resolves with a plain child that runs ($name)', async mode => {
    await using child = await launch('/bin/sh', ['-c', 'read line; exit 4'], optionsOf(mode))
    expect(child).toBeInstanceOf(Child)
    expect(child).not.toBeInstanceOf(Tracee)
    expect(statusOf(child.pid, 'TracerPid')).toBe(0)
    expect(readlinkSync(`/proc/${child.pid}/exe`)).toBe(realpathSync('/bin/sh'))
    // The exec closes descriptors, which tells of it, before it gives the program its words.
    const words = () => readFileSync(`/proc/${child.pid}/cmdline`, 'latin1')
    await expect.poll(words).toBe('/bin/sh\0-c\0read line; exit 4\0')
    child.stdin?.end()
    expect(await child.exited).toMatchObject({ kind: 'exited', code: 4 })
  })

  it.skipIf(!isX64).each(tracedModes)('holds it at the first instruction of its loader ($name)', async mode => {
    await using tracee = await launch('/bin/cat', [], optionsOf(mode))
    const loader = interpreterOf(realpathSync('/bin/cat'))
    const { pc, sp } = tracee.registers()
    expect(pc).toBe(mappedAt(tracee.pid, loader) + elfEntry(loader))
    expect(Buffer.from(tracee.readMemory(mappedAt(tracee.pid, loader), 4)).toString('latin1')).toBe('\x7fELF')
    // argc is at the top of the fresh stack.
    expect(Buffer.from(tracee.readMemory(sp, 8)).readBigInt64LE()).toBe(1n)
  })

  it.skipIf(!isX64 || whyNoCompiler !== undefined)('holds a static program at its own first instruction', async () => {
    const program = compile(temporaryFolder(), 'launch-target', ['-static'])
    await using tracee = await launch(program)
    expect(tracee.registers().pc).toBe(elfEntry(program))
    expect(await tracee.run()).toMatchObject({ code: 7 })
  })

  it.each(tracedModes)('lets nothing of the program happen before it is continued ($name)', async mode => {
    await using tracee = await launch('/bin/echo', ['hi'], optionsOf(mode))
    let text = ''
    tracee.stdout?.on('data', chunk => {
      text += chunk
    })
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    expect(text).toBe('')
    expect(stateOf(tracee.pid)).toBe('t')
    tracee.cont()
    await tracee.exited
    await new Promise(resolve => tracee.once('close', resolve))
    expect(text).toBe('hi\n')
  })

  it.each(modes)('runs a script by its #! line ($name)', async mode => {
    const script = `${temporaryFolder()}/script`
    writeFileSync(script, '#!/bin/sh\necho "$0 $1"\n', { mode: 0o755 })
    await using child = await launch(script, ['x'], optionsOf(mode))
    if (child instanceof Tracee) void child.run()
    expect(await textOf(child.stdout)).toBe(`${script} x\n`)
  })

  it.each(modes)('holds many at once, each on its own ($name)', async mode => {
    const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const pids = new Set<number>()
    const echo = async (word: string) => {
      const child = await launch('/bin/echo', [word], optionsOf(mode))
      pids.add(child.pid)
      const text = textOf(child.stdout)
      return { child, text }
    }
    const echoes = await Promise.all(words.map(echo))
    expect(pids.size).toBe(words.length)
    for (const { child } of echoes.toReversed()) if (child instanceof Tracee) void child.run()
    expect(await Promise.all(echoes.map(({ text }) => text))).toEqual(words.map(word => `${word}\n`))
    for (const { child } of echoes) expect(await child.exited).toMatchObject({ code: 0 })
  })
})
