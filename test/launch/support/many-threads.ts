/** Launches test/fixtures/many-threads.c and reads what it says. */

import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { StopStatus } from '../../../lib/system/wait-status.ts'
import { until } from './processes.ts'

export interface ManyThreads {
  readonly tracee: Tracee
  readonly text: () => string
  /** The stops that passOn() has passed on. */
  readonly stops: StopStatus[]
}

export interface StartOptions {
  readonly trace?: 'traceme' | 'seize'
  readonly follow?: 'threads' | 'all' | false
}

export async function startThreads(
  program: string,
  args: readonly string[],
  options: StartOptions,
): Promise<ManyThreads> {
  const tracee = await launch(program, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options })
  let text = ''
  tracee.stdout.on('data', chunk => {
    text += chunk
  })
  return { tracee: tracee as unknown as Tracee, text: () => text, stops: [] }
}

/** Passes every stop on, until the process ends. */
export async function passOn({ tracee, stops }: ManyThreads): Promise<void> {
  for await (const { thread, stop } of tracee.everyStop()) {
    stops.push(stop)
    thread.cont(stop.event || stop.trap ? undefined : stop.signal)
  }
}

/** Passes every stop on, and resolves once the program is ready: with the addresses of `hit` and `watched`. */
export async function untilReady(started: ManyThreads): Promise<{ hit: bigint; watched: bigint }> {
  started.tracee.cont()
  void passOn(started)
  await until('the program is ready', () => /^ready .*\n/.test(started.text()))
  const [, hit = '', watched = ''] = /ready (0x\w+) (0x\w+)/.exec(started.text()) ?? []
  return { hit: BigInt(hit), watched: BigInt(watched) }
}

/** Has every thread call `hit` once, and waits for it. */
export async function hitAll({ tracee, text }: ManyThreads, count: number): Promise<void> {
  const hits = () => text().split('hit\n').length - 1
  const before = hits()
  tracee.stdin?.write('h')
  await until('every thread has called', () => hits() === before + count)
}
