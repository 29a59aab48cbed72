/** Every form of `stdio` that child_process accepts. */

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, Readable, Writable } from 'node:stream'
import { afterAll, expect, it } from 'vitest'
import type { Child } from '../../../lib/launch/handles/child.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import type { StdioOptions } from '../../../lib/launch/stdio/stdio-entries.ts'
import type { ChildDuplex } from '../../../lib/launch/stdio/streams.ts'
import { openDescriptors } from '../../support/process-table.ts'
import { describeNative } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'
import { textOf } from '../support/streams.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a shell line untraced. */
function sh(line: string, stdio: StdioOptions, options: LaunchOptions = {}): Promise<Child> {
  return launch('/bin/sh', ['-c', line], { ...options, stdio, trace: false })
}

function writableFile(name: string): { path: string; fd: number } {
  const path = join(folder, name)
  return { path, fd: openSync(path, 'w+') }
}

describeNative('stdio', system => {
  it("'pipe' gives a stream for each of the three", async () => {
    await using child = await sh('cat; echo err >&2', 'pipe')
    expect(child.stdin).toBeInstanceOf(Writable)
    expect(child.stdout).toBeInstanceOf(Readable)
    expect(child.stderr).toBeInstanceOf(Readable)
    const named = child.stdio.map(stream => stream?.constructor.name)
    expect(named).toEqual(['ChildWritable', 'ChildReadable', 'ChildReadable'])
    expect(child.stdio).toEqual([child.stdin, child.stdout, child.stderr])
    child.stdin?.end('in\n')
    expect(await Promise.all([textOf(child.stdout), textOf(child.stderr)])).toEqual(['in\n', 'err\n'])
  })

  it('is pipes when it is left out', async () => {
    await using child = await launch('/bin/sh', ['-c', 'echo out; echo err >&2'], { trace: false })
    expect(await Promise.all([textOf(child.stdout), textOf(child.stderr)])).toEqual(['out\n', 'err\n'])
  })

  it("'ignore' gives /dev/null three times and no streams", async () => {
    const { path, fd } = writableFile('ignored')
    await using child = await sh('echo $(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2) >&3', [
      'ignore',
      'ignore',
      'ignore',
      fd,
    ])
    closeSync(fd)
    expect(child.stdio).toEqual([null, null, null, null])
    expect(await child.exited).toMatchObject({ code: 0 })
    expect(readFileSync(path, 'utf8')).toBe('/dev/null /dev/null /dev/null\n')
  })

  it.skipIf(whyNot('true') !== undefined)("'inherit' gives this process's own", async () => {
    const ran = await runNode(`
      const child = await launch('/bin/sh', ['-c', 'echo out; echo err >&2'], { stdio: 'inherit', trace: false })
      if (child.stdin !== null || child.stdout !== null || child.stderr !== null) process.exitCode = 9
      await child.exited`)
    expect(ran).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' })
  })

  it('shorter than three is filled up with pipes', async () => {
    await using child = await sh('cat; echo err >&2', [])
    child.stdin?.end('x')
    expect(await Promise.all([textOf(child.stdout), textOf(child.stderr)])).toEqual(['x', 'err\n'])
    await using other = await sh('echo out', ['ignore'])
    expect(other.stdin).toBeNull()
    expect(await textOf(other.stdout)).toBe('out\n')
  })

  it('null and undefined are a pipe below three and nothing above', async () => {
    await using child = await sh('cat; readlink /proc/$$/fd/3', [null, undefined, 'ignore', null, undefined])
    expect(child.stdio.map(stream => stream !== null)).toEqual([true, true, false, false, false])
    child.stdin?.end('y')
    expect(await textOf(child.stdout)).toBe('y/dev/null\n')
  })

  it('a descriptor becomes the child’s, and stays open here', async () => {
    const { path, fd } = writableFile('given')
    await using child = await sh('echo one; echo two >&2', ['ignore', fd, fd])
    await child.exited
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
    system.write(fd, Buffer.from('three\n'))
    closeSync(fd)
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\nthree\n')
  })

  it('[0, 2, 1] swaps two of the parent’s descriptors', async () => {
    const ran = await runNode(`
      const child = await launch('/bin/sh', ['-c', 'echo out; echo err >&2'], { stdio: [0, 2, 1], trace: false })
      await child.exited`)
    expect(ran).toMatchObject({ code: 0, stdout: 'err\n', stderr: 'out\n' })
  })

  it('[1, 0, 2] and rotations put each where it belongs', async () => {
    const ran = await runNode(
      `
      for (const stdio of [[1, 0, 2], [1, 2, 0], [2, 0, 1], [0, 0, 0], [2, 2, 1]]) {
        const own = stdio.map(fd => fs.readlinkSync('/proc/self/fd/' + fd))
        const child = await launch('/bin/sleep', ['60'], { stdio, trace: false })
        const its = [0, 1, 2].map(fd => fs.readlinkSync('/proc/' + child.pid + '/fd/' + fd))
        child.kill('SIGKILL')
        await child.exited
        if (own.join() !== its.join()) throw new Error(stdio + ': ' + own + ' but ' + its)
      }
      report('right')`,
    )
    expect(ran, ran.stderr).toMatchObject({ code: 0, reports: ['right'] })
  })

  it('descriptors of the parent that collide with the child’s numbers are permuted', async () => {
    const files = Array.from({ length: 8 }, (_, i) => writableFile(`permuted-${i}`))
    const fds = files.map(({ fd }) => fd)
    // Maps each parent descriptor to the number of another one, as far as the numbers reach. The list is long,
    // so that the launch's own pipes collide too.
    const length = Math.max(...fds) + 6
    const stdio: StdioOptions = Array.from({ length }, (_, target) => {
      if (target < 3) return 'ignore'
      const at = fds.indexOf(target)
      return at >= 0 ? fds[(at + 3) % fds.length] : fds[target % fds.length]
    })
    const before = openDescriptors()
    const line = stdio
      .map((_, fd) => (fd < 3 ? '' : `eval "echo ${fd} >&${fd}"`))
      .join('; ')
      .replace(/^[; ]+/, '')
    await using child = await launch('/bin/bash', ['-c', line], { stdio, trace: false, beforeExec: () => {} })
    expect(await child.exited).toMatchObject({ code: 0 })
    expect(openDescriptors()).toEqual(before)
    const written = files.map(({ path }) => readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number))
    for (const fd of fds) closeSync(fd)
    const wanted = fds.map(fd => stdio.flatMap((entry, target) => (entry === fd ? [target] : [])))
    expect(written).toEqual(wanted)
  })

  it('longer than all that is open moves the launch’s own pipes out of the way', async () => {
    const before = openDescriptors()
    const stdio: StdioOptions = ['ignore', 'pipe', 'ignore', ...Array.from({ length: 90 }, () => 'ignore' as const)]
    for (const trace of ['traceme', 'seize', false] as const) {
      const options = { stdio, trace, beforeExec: () => {} }
      await using child = await launch('/bin/sh', ['-c', 'ls /proc/$$/fd | wc -l; true'], options)
      if (child instanceof Tracee) void child.run()
      expect(Number(await textOf(child.stdout))).toBeGreaterThanOrEqual(93)
      await child.exited
    }
    expect(openDescriptors()).toEqual(before)
  })

  it('a pipe above two is a stream in both directions', async () => {
    await using child = await sh('read line <&3; echo "got $line" >&3', ['ignore', 'ignore', 'inherit', 'pipe'])
    const both = child.stdio[3] as ChildDuplex
    expect(both).toBeInstanceOf(Duplex)
    expect(both.constructor.name).toBe('ChildDuplex')
    both.write('this\n')
    expect(await textOf(both)).toBe('got this\n')
  })

  it('the end of a two-way pipe reaches the child, whose answer still comes', async () => {
    await using child = await sh('cat <&3 >&3; echo done >&3', ['ignore', 'ignore', 'inherit', 'pipe'])
    const both = child.stdio[3] as ChildDuplex
    both.end('all of it\n')
    expect(await textOf(both)).toBe('all of it\ndone\n')
  })

  it('a descriptor that is not open fails at step dup2 with EBADF', async () => {
    await expect(launch('/bin/true', [], { stdio: ['ignore', 900_000, 'ignore'] })).rejects.toMatchObject({
      code: 'EBADF',
      step: 'dup2',
    })
  })

  it.each([
    ['a word that is none', 'pipes'],
    ['a number', 1],
    ['null', null],
    ['a list with a word that is none', ['pipe', 'tube']],
    ['a list with ipc, which is child_process’s own', ['pipe', 'pipe', 'pipe', 'ipc']],
    ['a list with a negative descriptor', [-1]],
    ['a list with a fraction', [0.5]],
    ['a list with a boolean', [true]],
    ['a list with an object that is no stream', [{}]],
  ])('that is %s is refused by name', async (_, stdio) => {
    await expect(launch('/bin/true', [], { stdio: stdio as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining('options.stdio'),
    })
  })

  it('is the descriptor of a file opened before', async () => {
    const path = join(folder, 'source')
    writeFileSync(path, 'from a file')
    const fd = openSync(path, 'r')
    await using child = await sh('cat', [fd, 'pipe', 'inherit'])
    closeSync(fd)
    expect(await textOf(child.stdout)).toBe('from a file')
  })
})
