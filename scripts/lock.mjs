// Allows one preparation of a clone at a time. Two at once would build into the same folders.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const reportAfterMs = 1000
const pollMs = 100

/**
 * Runs `work` while no other process runs one for the same folder. A lock whose owner is gone is taken over.
 *
 * The lock is a file in the folder itself: a guessable name in a shared folder would be open to other users. It
 * records its owner's pid and start time.
 */
export async function withLock(folder, work, { limitMs = 600_000, say = text => process.stderr.write(text) } = {}) {
  const file = join(folder, '.prepare-lock')
  const own = JSON.stringify({ pid: process.pid, started: startTime(process.pid) })
  const since = performance.now()
  let hasSaid = false
  while (!take(file, own)) {
    const found = read(file)
    if (found === undefined) continue // released meanwhile
    const owner = livingOwner(found)
    if (owner === undefined) {
      bury(file, found)
      continue
    }
    const waitedMs = performance.now() - since
    if (waitedMs > limitMs) {
      throw new Error(
        `process ${owner} has held ${file} for ${Math.round(limitMs / 1000)} s; if it does not prepare this clone, remove that file`,
      )
    }
    if (waitedMs > reportAfterMs && !hasSaid) {
      hasSaid = true
      say(`tracegate: waiting for process ${owner}, which prepares this clone\n`)
    }
    await sleep(pollMs) // Node does not report a file's removal reliably, so poll
  }
  try {
    return await work()
  } finally {
    if (read(file) === own) rmSync(file, { force: true })
  }
}

/** Creates the lock with its content in one step, so that no other process sees it empty. */
function take(file, own) {
  const made = `${file}.${process.pid}`
  try {
    writeFileSync(made, own)
    linkSync(made, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    if (error.syscall === 'link') return takeWithoutLink(file, own)
    throw error
  } finally {
    rmSync(made, { force: true })
  }
}

/** For file systems without hard links: shared folders of virtual machines, FAT. */
function takeWithoutLink(file, own) {
  try {
    writeFileSync(file, own, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * The pid of the process that holds the lock. Undefined if that process is gone, if another process has its pid
 * now, or if the lock has no pid.
 */
function livingOwner(text) {
  let owner
  try {
    owner = JSON.parse(text)
  } catch {
    return undefined
  }
  const { pid, started } = owner ?? {}
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code === 'ESRCH') return undefined
  }
  return startTime(pid) === started ? pid : undefined
}

/** The start time of a process, in clock ticks since boot: field 22 of /proc/PID/stat. Null without /proc. */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, the name in parentheses, may contain spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return null
  }
}

/** Removes a lock without an owner. Another process may have replaced it meanwhile: its lock is then put back. */
function bury(file, found) {
  const grave = `${file}.${process.pid}.stale`
  try {
    renameSync(file, grave)
    if (read(grave) !== found) linkSync(grave, file)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  } finally {
    rmSync(grave, { force: true })
  }
}
