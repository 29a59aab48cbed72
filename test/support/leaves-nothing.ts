/**
 * Runs around every test file. A test that leaves a child process or a descriptor behind, or this process with another
 * user, limit, mask or folder than before, fails, with a list of them. So does a test file that leaves temporary files.
 *
 * Descriptors of the runtime do not count: those open before the test, and kinds that only the event loop has
 * (eventfd, io_uring, inotify, timerfd). One epoll is allowed, that of the environment's readiness watch.
 */

import { readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeEach } from 'vitest'
import { ownSettings } from './own-settings.ts'
import { childrenOfThisProcess, openDescriptors } from './process-table.ts'
import { useOwnFolder } from './run-folder.ts'
import { removeTemporaryFolders } from './temporary-folder.ts'

// A test may have replaced these functions with fakes.
const { setTimeout } = globalThis

interface Snapshot {
  readonly children: ReadonlySet<number>
  readonly descriptors: ReadonlyMap<number, string>
  readonly settings: ReadonlyMap<string, string>
}

function snapshot(): Snapshot {
  return { children: new Set(childrenOfThisProcess().keys()), descriptors: openDescriptors(), settings: ownSettings() }
}

const eventpoll = 'anon_inode:[eventpoll]'

function leftSince(before: Snapshot): string[] {
  const left: string[] = []
  for (const child of childrenOfThisProcess().values()) {
    if (before.children.has(child.pid)) continue
    left.push(
      `child process ${child.pid} (${child.command}), ${child.state === 'Z' ? 'a zombie' : `state ${child.state}`}`,
    )
  }
  const epolls: string[] = []
  for (const [fd, target] of openDescriptors()) {
    if (before.descriptors.get(fd) === target) continue
    if (target === eventpoll) epolls.push(`descriptor ${fd} (${target})`)
    else if (!target.startsWith('anon_inode:')) left.push(`descriptor ${fd} (${target})`)
  }
  if (epolls.length > 1) left.push(...epolls)
  for (const [name, setting] of ownSettings()) {
    const earlier = before.settings.get(name)
    if (earlier !== setting) left.push(`${name}: ${setting}, which was ${earlier}`)
  }
  return left
}

/** What is left after pending exits are reaped and closing handles have closed. */
async function leftAfterSettling(before: Snapshot): Promise<string[]> {
  let left = leftSince(before)
  for (let waitMs = 1; left.length > 0 && waitMs <= 8192; waitMs *= 2) {
    await new Promise(resolve => setTimeout(resolve, waitMs))
    left = leftSince(before)
  }
  return left
}

if (process.platform === 'linux') {
  // The event loop opens its signal pipe with its first signal handler, and keeps it.
  const ignore = () => {}
  process.on('SIGUSR2', ignore)
  process.off('SIGUSR2', ignore)

  const folder = useOwnFolder()
  const temporaryFiles = () => (folder === undefined ? [] : readdirSync(folder))
  const filesBefore = new Set(temporaryFiles())
  const beforeFile = snapshot()
  let beforeTest: Snapshot | undefined

  beforeEach(context => {
    beforeTest = context.task.concurrent === true ? undefined : snapshot()
  })

  afterEach(async () => {
    if (beforeTest === undefined) return
    const left = await leftAfterSettling(beforeTest)
    if (left.length > 0) throw new Error(`the test left behind: ${left.join(', ')}`)
  })

  afterAll(async () => {
    const left = await leftAfterSettling(beforeFile)
    removeTemporaryFolders()
    left.push(...temporaryFiles().filter(name => !filesBefore.has(name)))
    if (left.length > 0) throw new Error(`the test file left behind: ${left.join(', ')}`)
  })
}
