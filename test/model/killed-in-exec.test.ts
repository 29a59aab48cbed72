import { expect, it } from 'vitest'
import { whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { replay } from './check.ts'
import { whyNoTracing, withWorlds } from './machine.ts'
import type { Program } from './operations.ts'
import { report } from './run-program.ts'

/** A thread's exec waits for the main thread, which stands at its exit event. */
const killedInExec: Program = {
  quiet: true,
  operations: [
    { op: 'pipe2', to: ['rf1', 'wf1'], flags: 0 },
    { op: 'pipe2', to: ['rf2', 'wf2'], flags: 0 },
    { op: 'pipe2', to: ['rf3', 'wf3'], flags: 0 },
    {
      op: 'fork',
      child: 'c0',
      steps: [
        { op: 'read', fd: 'rf1', bytes: 1 },
        { op: 'script', script: 't(rAE)rBx5', gates: ['rf3', 'rf2'] },
      ],
    },
    // PTRACE_O_TRACECLONE and PTRACE_O_TRACEEXIT.
    { op: 'ptrace', child: 'c0', request: 'Seize', options: 0x48 },
    { op: 'letIn', gate: 'rf1' },
    { op: 'waitpid', child: -1, options: 0 },
    { op: 'ptrace', child: 'c0.0', request: 'Cont' },
    { op: 'letIn', gate: 'rf3' },
    { op: 'kill', child: 'c0', signal: 'SIGKILL' },
  ],
}

describeNative(
  'a thread that is killed as its exec waits for the others',
  () => {
    it('ends as itself, at its own exit event', () => {
      const divergence = withWorlds(undefined, worlds => replay(killedInExec, worlds))
      if (divergence !== undefined) expect.fail(report(divergence))
    })
  },
  whyNoCompiler ?? whyNoTracing(),
)
