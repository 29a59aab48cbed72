/** A child whose number one that has ended had before: the kernel reuses them. */

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, until } from '../support/processes.ts'

const lastPid = '/proc/sys/kernel/ns_last_pid'

function whyNumbersCannotBeSet(): string | undefined {
  try {
    writeFileSync(lastPid, readFileSync(lastPid))
    return undefined
  } catch (error) {
    return `${lastPid}: ${(error as NodeJS.ErrnoException).code}`
  }
}

const whyNot = whyNumbersCannotBeSet()
const title = `a child with the number of one that has ended${whyNot === undefined ? '' : ` [skipped: ${whyNot}]`}`

describeNative(title, () => {
  it.skipIf(whyNot !== undefined).each(tracings)('leaves that one’s own children in the tree (%s)', async trace => {
    // The first child leaves a sleeping one behind. Each line that the shell reads has it start another child.
    const script = '(/bin/sleep 1000 &); while read line; do (exit 7); done'
    const stdio = ['pipe', 'ignore', 'ignore'] as const
    await using tracee = await launch('/bin/sh', ['-c', script], { trace, follow: 'all', stdio })
    const run = tracee.run()
    await until('the first child has left one', () => {
      const [first] = tracee.children.values()
      return first !== undefined && first.children.size === 1 && stateOf(first.pid) === 'gone'
    })
    const [first] = tracee.children.values()
    const [sleeping] = first!.children.values()
    await until('it sleeps', () => stateOf(sleeping!.pid) === 'S')
    const { pid } = first!
    // Another process may take the number first.
    while (tracee.children.get(pid) === first) {
      const next = new Promise(resolve => tracee.once('follow', resolve))
      writeFileSync(lastPid, String(pid - 1))
      tracee.stdin.write('\n')
      await next
    }
    expect(await tracee.children.get(pid)?.exited).toMatchObject({ code: 7 })
    expect(first!.stop).toBeNull()
    tracee.stdin.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
    expect(stateOf(sleeping!.pid)).toBe('S')
    await tracee[Symbol.asyncDispose]()
    // Its new parent reaps it.
    expect('Zgone').toContain(stateOf(sleeping!.pid))
    await run
  })
})
