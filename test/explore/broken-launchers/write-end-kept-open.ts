/**
 * Exec closes the child's write end, but the parent also holds one. The end of file that signals the exec never
 * comes.
 */

import { type BrokenLauncher, constants, exec, expectEnd, type World } from './kit.ts'

const { O_CLOEXEC } = constants

function launch({ system }: World, closesWriteEnd: boolean): void {
  const [report, reportInChild] = system.pipe2(O_CLOEXEC)
  const pid = system.fork({ actions: [exec('/bin/true')], report: reportInChild })
  if (closesWriteEnd) system.close(reportInChild)
  if (system.read(report, new Uint8Array(8)) > 0) throw new Error('the exec failed')
  system.close(report)
  if (!closesWriteEnd) system.close(reportInChild)
  expectEnd(system, pid)
}

export const writeEndKeptOpen: BrokenLauncher = {
  kind: 'deadlock',
  message: /waits to read the read end of pipe[\s\S]*whose other end \d+ \(host\) holds/,
  broken: world => launch(world, false),
  mended: world => launch(world, true),
}
