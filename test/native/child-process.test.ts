import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { endOf, failure, heldChild } from '../contract/helpers.ts'
import { describeNative } from '../support/describe-native.ts'
import { tidyNative } from '../support/tidy.ts'

describeNative('children of child_process', () => {
  const system = tidyNative()

  const nodeChild = (code: number) =>
    new Promise<number | null>(resolve => {
      spawn('/bin/sh', ['-c', `exit ${code}`], { stdio: 'ignore' }).once('exit', resolve)
    })

  it('and ours do not disturb each other, with both busy at once', async () => {
    const codes = Array.from({ length: 60 }, (_, i) => i)
    const theirs = codes.map(nodeChild)
    const ours = codes.map(code => endOf(system, system.fork({ actions: [{ op: 'exit', code }] })))
    expect(await Promise.all(theirs)).toEqual(codes)
    expect(await Promise.all(ours)).toEqual(codes.map(code => code << 8))
  })

  it('keep their output while ours come and go', async () => {
    const text = new Promise<string>((resolve, reject) => {
      execFile('/bin/sh', ['-c', 'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done'], (error, stdout) => {
        if (error === null) resolve(stdout)
        else reject(error)
      })
    })
    for (let i = 0; i < 30; i++) expect(await endOf(system, system.fork({ actions: [] }))).toBe(0)
    expect((await text).trimEnd().split('\n').length).toBe(2000)
  })

  it('ours that were there before are not reaped by it', async () => {
    const child = heldChild(system, { after: [{ op: 'exit', code: 9 }] })
    child.release()
    expect(await nodeChild(4)).toBe(4)
    expect(system.waitpid(child.pid)?.raw).toBe(0x0900)
  })

  it('theirs cannot be waited for a second time', async () => {
    const child = spawn('/bin/sh', ['-c', 'exit 5'], { stdio: 'ignore' })
    const pid = child.pid!
    await once(child, 'exit')
    expect(failure(() => system.waitpid(pid, 1))).toBe('ECHILD')
  })

  it('a SIGCHLD handler of the user is called for both', async () => {
    let heard = 0
    const hear = () => {
      heard++
    }
    process.on('SIGCHLD', hear)
    try {
      expect(await endOf(system, system.fork({ actions: [] }))).toBe(0)
      expect(await nodeChild(0)).toBe(0)
      while (heard === 0) await new Promise(resolve => setImmediate(resolve))
    } finally {
      process.off('SIGCHLD', hear)
    }
    // The user's last SIGCHLD handler is gone, and the library's still works.
    expect(await endOf(system, system.fork({ actions: [{ op: 'exit', code: 1 }] }))).toBe(0x0100)
  })
})
