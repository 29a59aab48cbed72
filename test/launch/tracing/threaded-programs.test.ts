/** Real programs of many threads: Node with workers, python3, Java. Each works until its input ends. */

import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { temporaryFolder } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'
import { stateOf, statusOf, until } from '../support/processes.ts'

const inNode = `
const { isMainThread, parentPort, Worker } = require('node:worker_threads')
const fib = n => (n < 2 ? n : fib(n - 1) + fib(n - 2))
if (isMainThread) {
  const workers = Array.from({ length: 4 }, () => new Worker(__filename))
  let ready = 0
  let sum = 0
  let done = 0
  for (const worker of workers) {
    worker.on('message', value => {
      if (value === 'ready') {
        if (++ready === 4) console.log('ready')
        return
      }
      sum += value
      if (++done === 4) console.log('sum', sum)
    })
  }
  process.stdin.on('end', () => workers.forEach(worker => worker.postMessage('end'))).resume()
} else {
  let isOver = false
  parentPort.once('message', () => { isOver = true })
  parentPort.postMessage('ready')
  const turn = () => {
    const value = fib(18)
    if (isOver) parentPort.postMessage(value)
    else setImmediate(turn)
  }
  turn()
}
`

const inPython = `
import sys, threading
over = threading.Event()
started = threading.Barrier(5)
results = []
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def work():
  started.wait()
  while True:
    value = fib(12)
    if over.is_set(): break
  results.append(value)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
started.wait()
print('ready', flush=True)
sys.stdin.read()
over.set()
for thread in threads: thread.join()
print('sum', sum(results))
`

const inJava = `
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
public class Main {
  static volatile boolean over;
  static long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
  public static void main(String[] args) throws Exception {
    AtomicLong sum = new AtomicLong();
    CountDownLatch started = new CountDownLatch(4);
    Thread[] threads = new Thread[4];
    for (int i = 0; i < 4; i++) {
      threads[i] = new Thread(() -> {
        started.countDown();
        long value = 0;
        String none = null;
        while (!over) {
          value = fib(20);
          // The virtual machine makes it an exception out of a SIGSEGV.
          try { none.length(); } catch (NullPointerException expected) { }
        }
        sum.addAndGet(value);
      });
      threads[i].start();
    }
    started.await();
    System.out.println("ready");
    while (System.in.read() >= 0) { }
    over = true;
    for (Thread thread : threads) thread.join();
    System.out.println("sum " + sum);
  }
}
`

describeNative('a program of many threads', () => {
  const folder = temporaryFolder()
  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, 0o644)
    return path
  }

  const programs = [
    {
      name: 'node',
      skip: undefined,
      compile: undefined,
      command: [process.execPath, file('main.cjs', inNode)],
      atLeast: 8,
      output: `ready\nsum ${4 * 2584}\n`,
    },
    {
      name: 'python3',
      skip: whyNot('python3'),
      compile: undefined,
      command: ['python3', file('main.py', inPython)],
      atLeast: 5,
      output: `ready\nsum ${4 * 144}\n`,
    },
    {
      name: 'java',
      skip: whyNot('javac'),
      compile: () => execFileSync('javac', [file('Main.java', inJava)], { stdio: 'pipe' }),
      command: ['java', '-cp', folder, 'Main'],
      atLeast: 10,
      output: `ready\nsum ${4 * 6765}\n`,
    },
  ]

  for (const { name, skip, compile, command, atLeast, output } of programs) {
    if (skip === undefined && compile !== undefined) beforeAll(() => void compile())
    const ways = tracings.flatMap(trace => (['threads', false] as const).map(follow => ({ trace, follow })))
    it.skipIf(skip !== undefined).each(ways)(
      `${name} is stopped and let go ten times, and runs to its end ($trace, follow $follow)${skip ? ` [skipped: ${skip}]` : ''}`,
      async way => {
        const [program = '', ...args] = command
        const started = await launch(program, args, { ...way, stdio: ['pipe', 'pipe', 'inherit'] })
        const tracee = started as unknown as Tracee
        await using _ = tracee
        let text = ''
        started.stdout.on('data', chunk => {
          text += chunk
        })
        const run = tracee.run()
        await until('the program is ready', () => text.includes('ready\n'))
        expect(statusOf(tracee.pid, 'Threads')).toBeGreaterThanOrEqual(atLeast)
        for (let i = 0; i < 10; i++) {
          await tracee.stopAll({ timeoutMs: 10_000 })
          expect(stateOf(tracee.pid)).toBe('t')
          if (way.follow === 'threads') {
            for (const thread of tracee.threads.values()) {
              expect(stateOf(thread.tid)).toBe('t')
              expect(thread.registers().pc).toBeGreaterThan(0n)
            }
          }
          tracee.contAll()
          await until('it goes on', () => stateOf(tracee.pid) !== 't')
        }
        started.stdin.end()
        expect(await run).toMatchObject({ code: 0 })
        await until(`the output: ${text}`, () => text === output)
      },
    )
  }
})
