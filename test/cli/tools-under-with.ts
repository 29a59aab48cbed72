/** The tools that `tracegate with` is tried with, and the users that it is tried as. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { compileSource } from '../support/c-program.ts'
import { type Finished, hasTool, script, startProgram, whyNotAttach } from './command.ts'

/** A user to run the command as: whoever runs the tests, and where that is root an ordinary user, too. */
export interface User {
  readonly name: string
  readonly isRoot: boolean
  readonly prefix: readonly string[]
}

const isRoot = process.getuid?.() === 0
const ordinary: User = {
  name: 'an ordinary user',
  isRoot: false,
  prefix: isRoot ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] : [],
}

export const users: readonly User[] = isRoot
  ? [{ name: 'root', isRoot, prefix: [] }, ...(hasTool('setpriv') ? [ordinary] : [])]
  : [ordinary]

/** The reason why a tool cannot be tried as a user, or undefined. */
export function whyNot(tool: string, user: User): string | undefined {
  if (tool === 'bpftrace') {
    if (!user.isRoot) return 'bpftrace needs root'
    return hasTool(tool) ? undefined : 'bpftrace is not installed'
  }
  if (tool !== 'perf') return whyNotAttach(tool)
  // Some distributions install a perf that only names the missing package.
  if (spawnSync('perf', ['--version'], { stdio: 'ignore' }).status !== 0) return 'perf is not installed'
  const paranoid = Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'))
  return !user.isRoot && paranoid > 2 ? `perf_event_paranoid is ${paranoid}` : undefined
}

/** Runs `tracegate with` as a user, from a folder in which that user may write. */
export function withTool(user: User, folder: string, ...args: readonly string[]): Promise<Finished> {
  const env = { ...process.env, DEBUGINFOD_URLS: '', HOME: folder }
  const line = 'cd "$0" && exec "$@"'
  return startProgram('/bin/sh', ['-c', line, folder, ...user.prefix, script, 'with', ...args], { env }).finished
}

/** The pages that the short-lived program touches in its work, each of them for the first time. */
export const pagesTouched = 8

const source = `#include <time.h>
static char pages[${pagesTouched}][65536] __attribute__((aligned(65536)));
/* Touches its pages, computes for 5 ms of processor time, however loaded the machine is, and exits with 7. */
__attribute__((noinline)) int work(void) {
  volatile unsigned sum = 0;
  struct timespec from, now;
  for (int i = 0; i < ${pagesTouched}; i++) *(volatile char *)&pages[i][0] = 1;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  do {
    for (int i = 0; i < 1000; i++) sum += i;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  } while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 5000000);
  return 7;
}
int main(void) { return work(); }
`

/** A program that lives for 5 ms. */
export function compileShortLived(folder: string): string {
  const program = `${folder}/short-lived`
  // The cache of compiled programs is its owner's alone.
  spawnSync('cp', [compileSource('short-lived', source, ['-g']), program])
  return program
}

/**
 * The command line of a perf record of every page fault, into a file. Samples by time would not tell whether the event
 * was enabled: of 5 ms in a virtual machine there may be none.
 */
export const recordFaults = (file: string, options: readonly string[] = []) =>
  ['perf record -q -e page-faults -c 1', ...options, `-o ${file} -p {pid}`].join(' ')

/** The samples in a file of perf record, of this program's own work. */
export function samplesIn(file: string, user: User): number {
  const [command, ...args] = [...user.prefix, 'perf', 'script', '-i', file, '-F', 'ip,sym']
  const { stdout } = spawnSync(command!, args, { encoding: 'utf8' })
  return stdout.split('\n').filter(line => /\bwork$/.test(line)).length
}

/** A line of bpftrace that says when the program works. */
export const probeWork = (program: string) => `bpftrace -p {pid} -e 'uprobe:${program}:work { printf("saw work\\n"); }'`
