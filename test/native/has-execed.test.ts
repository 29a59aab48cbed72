import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { openSystem } from '../../lib/open-system.ts'
import { constants } from '../../lib/system/constants.ts'
import { privateCallsOf } from '../../lib/system/private-calls.ts'
import { describeNative } from '../support/describe-native.ts'

function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
}

describeNative('whether a child has execed', () => {
  it.each(['shared', 'copied'] as const)('is asked without moving it to another process group (%s memory)', memory => {
    const system = openSystem('native')
    const [gate, opener] = system.pipe2(constants.O_CLOEXEC)
    const actions = [
      { op: 'read', fd: gate, bytes: 1 },
      { op: 'exit', code: 3 },
    ] as const
    const pid = system.fork({ actions, memory })
    const group = groupOf(process.pid)
    expect(groupOf(pid)).toBe(group)
    expect(privateCallsOf(system)?.hasExeced(pid)).toBe(false)
    expect(groupOf(pid)).toBe(group)
    system.write(opener, new Uint8Array(1))
    expect(system.waitpid(pid)?.raw).toBe(3 << 8)
    // It is reaped, and could have been by another waiter: an exec is not known.
    expect(privateCallsOf(system)?.hasExeced(pid)).toBe(false)
    for (const fd of [gate, opener]) system.close(fd)
  })
})
