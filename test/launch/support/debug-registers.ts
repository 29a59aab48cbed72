/** Whether this machine's debug registers fire, found by a C program that knows nothing of this library. */

import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'
import { compileFixture, whyNoCompiler } from '../../support/c-program.ts'
import { whyNoNative } from '../../support/native.ts'

const whyUnknown = whyNoNative ?? whyNoCompiler
const found = whyUnknown === undefined ? spawnSync(compileFixture('debug-registers')).status : undefined
const findings: Readonly<Record<number, string>> = {
  0: "this machine's debug registers fire",
  1: "this machine's debug registers never fire",
}
const finding = whyUnknown ?? findings[found ?? 2] ?? "this machine's debug registers cannot be set"

/** Undefined if they fire, else the reason in one line. */
export const whyNoDebugRegisters: string | undefined = found === 0 ? undefined : finding
/** Undefined if they are set and never fire, else the reason in one line. */
export const whyNoDeadRegisters: string | undefined = found === 1 ? undefined : finding

/** A block of tests that need debug registers that fire. Without them, the title has the reason. */
export function describeWatching(title: string, body: () => void): void {
  const skip = whyNoDebugRegisters
  describe.skipIf(skip !== undefined)(skip === undefined ? title : `${title} [skipped: ${skip}]`, body)
}
