/** The expected result of programs/exercise.mjs. */

export function everythingWorks(kind: 'native' | 'simulated') {
  return {
    kind,
    pipe: 'ERR_CHANNEL_CLOSED',
    socketpair: 'ERR_CHANNEL_CLOSED',
    traced: {
      stop: { kind: 'stopped', signal: 'SIGTRAP', event: 'exec' },
      exited: { kind: 'exited', code: 0 },
    },
    piped: { output: 'through a pipe\n', code: 0 },
    untraced: { output: 'through a pipe\n', code: 0 },
    failing: { code: 'ENOENT', step: 'execve', path: '/no/such/program' },
  }
}

/** The last line of a program's output, which is its result. */
export function resultOf(stdout: string): unknown {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
}

/** The expected result of programs/scenario.mjs, on every runtime. */
export const scenarioSeen = {
  notified: 1,
  stops: [
    { kind: 'stopped', signal: 'SIGSTOP' },
    { kind: 'stopped', signal: 'SIGTRAP', event: 'exec' },
  ],
  output: 'hello the world',
  exited: { kind: 'exited', code: 7, signal: null },
  slept: 60_000,
  crashes: 0,
}

/** The expected result of programs/on-demand.mjs: one set of error classes. */
export const loadedOnDemand = { kind: 'simulated', ofOpened: true, ofKernel: true, deadlock: true }
