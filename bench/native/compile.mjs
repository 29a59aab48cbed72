// Compiles the C reference and loads it.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The compiled addon. `launch()` returns its duration in microseconds. */
export function loadReference() {
  const source = fileURLToPath(new URL('c_launch.c', import.meta.url))
  const headers = join(dirname(dirname(process.execPath)), 'include/node')
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-bench-'))
  const addon = join(folder, 'c_launch.node')
  try {
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-shared', '-fPIC', `-I${headers}`, '-o', addon, source])
    return createRequire(import.meta.url)(addon)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
