/**
 * The folder of temporary files of one run of the tests, removed at its end. Each process of the run has a folder of
 * its own in it, so that a test file can be held to what it leaves there. A file whose tests are all skipped does not
 * get to remove what it has made.
 */

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** Tests that change their user make files in it. */
const anybody = 0o1777
// Short, for the paths of sockets, and for lines of a terminal.
const prefix = 'tg-'

/** Called by vitest for the run, and for each of its projects. */
export default function setup(): (() => void) | undefined {
  if (basename(tmpdir()).startsWith(prefix)) return undefined
  const folder = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(folder, anybody)
  process.env.TMPDIR = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

/**
 * Makes this process's own folder the one for temporary files. Returns it; undefined outside a run that has a folder,
 * where other processes' files are in it.
 */
export function useOwnFolder(): string | undefined {
  const name = String(process.pid)
  if (basename(tmpdir()) === name) return tmpdir()
  if (!basename(tmpdir()).startsWith(prefix)) return undefined
  const folder = join(tmpdir(), name)
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, anybody)
  process.env.TMPDIR = folder
  return folder
}

/**
 * The folder of what is compiled once, for later runs too. A private one: running a file that another user put into a
 * shared folder is unsafe.
 */
export function cacheFolder(): string {
  const folders = tmpdir().split(`/${prefix}`)
  return join(folders.length > 1 ? folders[0]! : tmpdir(), `tracegate-test-${process.getuid?.() ?? 'user'}`)
}
