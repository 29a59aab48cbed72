// One preparation of a clone at a time: two at once would build into the same folders.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs `work` while no other process runs one for the same folder. A lock whose holder is gone is taken over. */
export async function withLock(folder, work) {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  const file = join(tmpdir(), `tracegate-prepare-${process.getuid?.() ?? 0}-${name}`)
  while (!take(file)) {
    if (isStale(file)) rmSync(file, { force: true })
    else await sleep(200) // a file's removal is no event that Node tells reliably
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function isStale(file) {
  let holder
  try {
    holder = Number(readFileSync(file, 'utf8'))
  } catch {
    return false // released meanwhile
  }
  if (holder === 0) return false // just being written
  try {
    process.kill(holder, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH' && existsSync(file)
  }
}
