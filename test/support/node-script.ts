/**
 * Runs a script of test/fixtures in a separate Node process. A crash or a hang of it is a result, and does not
 * end the test run.
 */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { compiledLibrary } from './compiled-library.ts'
import { processLimitMs } from './time-limits.ts'

export interface ScriptResult {
  /** Null if a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs test/fixtures/NAME with the URL of the compiled library as its first argument; `flags` are Node's options. */
export function runScript(
  name: string,
  args: readonly string[] = [],
  timeoutMs = processLimitMs,
  flags: readonly string[] = [],
): Promise<ScriptResult> {
  const script = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
  const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1 << 24 } as const
  return new Promise(resolve => {
    const all = [...flags, script, compiledLibrary(), ...args]
    const child = execFile(process.execPath, all, options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
    })
  })
}
