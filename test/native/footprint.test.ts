import { describe, expect, it } from 'vitest'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { endOf, heldChild } from '../contract/helpers.ts'
import { describeNative } from '../support/describe-native.ts'
import { runScript } from '../support/node-script.ts'
import { openDescriptors, ownStatus } from '../support/process-table.ts'
import { tidyNative } from '../support/tidy.ts'

describeNative('what forks leave of themselves', () => {
  const system = tidyNative()

  const actions: readonly ChildAction[] = [
    { op: 'setsid' },
    { op: 'execve', files: ['/bin/true', '/usr/bin/true'], argv: ['true'], env: ['LONG='.padEnd(10_000, 'x')] },
  ]

  it.for(['shared', 'copied'] as const)(
    'after a thousand: threads, descriptors and memory as they were: %s',
    async memory => {
      const round = async (count: number) => {
        for (let i = 0; i < count; i++) expect(await endOf(system, system.fork({ actions, memory }))).toBe(0)
      }
      await round(50)
      const before = { threads: ownStatus('Threads'), descriptors: openDescriptors().size, memory: ownStatus('VmRSS') }
      await round(memory === 'shared' ? 1000 : 200)
      expect(ownStatus('Threads')).toBe(before.threads)
      expect(openDescriptors().size).toBe(before.descriptors)
      expect(ownStatus('VmRSS') - before.memory).toBeLessThan(40 * 1024)
    },
  )

  it('200 held at once take little of our memory each, and give it back', () => {
    const hold = () => {
      const children = Array.from({ length: 200 }, () => heldChild(system))
      const held = ownStatus('VmSize')
      for (const child of children) {
        child.release()
        expect(system.waitpid(child.pid)?.raw).toBe(0)
      }
      return held
    }
    hold()
    const before = ownStatus('VmSize')
    const held = hold()
    // 16 KiB of stack, a guard page, the program. The runtime's heap may have grown meanwhile.
    expect(held - before).toBeLessThan(200 * 32 + 20 * 1024)
    expect(ownStatus('VmSize') - before).toBeLessThan(20 * 1024)
  })

  it('unwaited children do not hinder waits for other children', async () => {
    const unwaited = Array.from({ length: 50 }, () => system.fork({ actions }))
    for (let i = 0; i < 50; i++) expect(await endOf(system, system.fork({ actions }))).toBe(0)
    for (const pid of unwaited) expect(system.waitpid(pid)?.raw).toBe(0)
  })

  describe('with a heap of 300 MiB', () => {
    it('both kinds of memory work', async () => {
      const { code, signal, stdout, stderr } = await runScript('big-heap.mjs')
      expect({ code, signal, stdout, stderr }).toEqual({ code: 0, signal: null, stdout: 'unharmed\n', stderr: '' })
    })
  })
})
