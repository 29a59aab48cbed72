/** How each known tool takes a held program: where it is held, and what lets it go. */

/** Where a program is held: at its exec, or at the gate before that. */
export const holds = ['exec', 'gate'] as const
type Hold = (typeof holds)[number]

/**
 * What lets the program go:
 *
 * - 'attached': the tool has attached.
 * - 'tool-exit': the tool has ended with status 0.
 * - 'fd': the tool has written a newline to the descriptor in $TRACEGATE_RELEASE_FD.
 * - 'tool': the tool lets it go itself, as a debugger's `continue` does.
 */
export const releases = ['attached', 'tool-exit', 'fd', 'tool'] as const
export type Release = (typeof releases)[number]

export interface Handling {
  readonly hold: Hold
  readonly release: Release
}

interface Row extends Handling {
  readonly tools: readonly string[]
}

/** A tool of two words is a command of that name with that subcommand. */
const table: readonly Row[] = [
  { tools: ['gdb', 'gdbserver', 'rust-gdb', 'cgdb', 'gcore'], hold: 'exec', release: 'tool' },
  { tools: ['lldb', 'lldb-server', 'rust-lldb', 'dlv', 'ltrace'], hold: 'exec', release: 'tool' },
  { tools: ['lldb-dap', 'lldb-vscode'], hold: 'exec', release: 'tool' },
  { tools: ['strace', 'perf trace'], hold: 'gate', release: 'attached' },
  { tools: ['perf record', 'perf stat', 'bpftrace'], hold: 'exec', release: 'attached' },
  { tools: ['prlimit', 'taskset', 'chrt', 'ionice', 'renice', 'choom'], hold: 'exec', release: 'tool-exit' },
  { tools: ['vgdb'], hold: 'exec', release: 'fd' },
]

/** An unknown tool is assumed to attach. */
const unknown: Handling = { hold: 'exec', release: 'attached' }

/**
 * The handling of the tool that a shell line runs: the first word of it that names one, since `sudo`, `timeout 10` or
 * `X=1` may come before.
 */
export function handlingOf(line: string): Handling {
  const words = line.split(/[\s;&|()'"]+/).map(word => word.replace(/^.*\//, '').replace(/-\d+(\.\d+)?$/, ''))
  for (const [at, word] of words.entries()) {
    const row = table.find(({ tools }) => tools.includes(word) || tools.includes(`${word} ${words[at + 1]}`))
    if (row !== undefined) return row
  }
  return unknown
}

/** The table for --help. */
export function toolTable(): string {
  const rows = table.map(({ tools, hold, release }) => `  ${hold}  ${release.padEnd(9)}  ${tools.join(', ')}`)
  return [...rows, `  ${unknown.hold}  ${unknown.release.padEnd(9)}  any other`].join('\n')
}
