/** The exec fails, the child reports why, and the launcher throws. No waitpid() reaps the child, which has exited. */

import { decodeChildReport } from '../../../lib/system/child-program.ts'
import type { System } from '../../../lib/system/system.ts'
import { type BrokenLauncher, constants, exec } from './kit.ts'

const { O_CLOEXEC } = constants

function launch(system: System, file: string, reaps: boolean): number {
  const [report, reportInChild] = system.pipe2(O_CLOEXEC)
  const pid = system.fork({ actions: [exec(file)], report: reportInChild })
  system.close(reportInChild)
  const record = new Uint8Array(8)
  const bytes = system.read(report, record)
  system.close(report)
  const failure = decodeChildReport(record.subarray(0, bytes))
  if (failure === undefined) return pid
  if (reaps) system.waitpid(pid)
  throw new Error(`cannot execute ${file}: errno ${failure.errno}`)
}

function launchWhatIsMissing(system: System, reaps: boolean): void {
  try {
    launch(system, '/bin/missing', reaps)
  } catch {
    return // as intended
  }
  throw new Error('a program that is missing was launched')
}

export const zombieOnFailure: BrokenLauncher = {
  kind: 'leak',
  message: /zombie/,
  broken: ({ system }) => launchWhatIsMissing(system, false),
  mended: ({ system }) => launchWhatIsMissing(system, true),
}
