// npm run bench:tracing: single steps, traced system calls and many threads, beside a C program that does the same,
// in turn. README.md explains the table.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from 'tracegate'
import { quantile } from './measure.mjs'

const rounds = Number(process.env.ROUNDS ?? 7)
const steps = 5000
const calls = 5000
const threadCount = Number(process.env.THREADS ?? 1000)

const folder = mkdtempSync(join(tmpdir(), 'tracegate-bench-'))
const compiled = name => join(folder, name)
for (const name of ['tracee', 'c_tracer']) {
  const source = fileURLToPath(new URL(`native/${name}.c`, import.meta.url))
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-pthread', '-o', compiled(name), source])
}

const now = () => performance.now() * 1000

/** The microseconds of each part, as the C program prints them. */
function reference(what, count) {
  const output = execFileSync(compiled('c_tracer'), [compiled('tracee'), what, String(count)], { encoding: 'utf8' })
  return output.trim().split('\n').map(Number)
}

async function resumed(what, count, resume) {
  const tracee = await launch(compiled('tracee'), [what, String(count)], { stdio: 'ignore' })
  const start = now()
  await resume(tracee)
  const taken = now() - start
  await tracee[Symbol.asyncDispose]()
  return [taken]
}

const stepSync = tracee => {
  for (let i = 0; i < steps; i++) {
    tracee.step()
    tracee.waitSync()
  }
}

const stepAsync = async tracee => {
  for (let i = 0; i < steps; i++) {
    tracee.step()
    await tracee.wait()
  }
}

const callSync = tracee => {
  for (let i = 0; i < 2 * calls; i++) {
    tracee.syscall()
    tracee.waitSync()
  }
}

const callAsync = async tracee => {
  for (let i = 0; i < 2 * calls; i++) {
    tracee.syscall()
    await tracee.wait()
  }
}

/** Passes every stop on until the main thread has a SIGUSR2, and leaves it there. */
async function untilMark(tracee) {
  for await (const { thread, stop } of tracee.everyStop()) {
    if (stop.event === undefined && stop.signal === 'SIGUSR2') return
    thread.cont(stop.event === undefined ? stop.signal : undefined)
  }
}

/** The times of three parts: the births of many threads; one stop and resumption of all; a stop of each alone. */
async function threads() {
  const tracee = await launch(compiled('tracee'), ['threads', String(threadCount)], {
    stdio: 'ignore',
    follow: 'threads',
  })
  const taken = []
  const measured = async part => {
    const start = now()
    await part()
    taken.push(now() - start)
  }
  await measured(async () => {
    tracee.cont()
    await untilMark(tracee)
  })
  await measured(async () => {
    await tracee.stopAll()
    tracee.contAll()
  })
  await measured(async () => {
    tracee.cont()
    await untilMark(tracee)
  })
  await tracee[Symbol.asyncDispose]()
  return taken
}

/** Each row compares the C program with ours. `parts`: what one run measures, each of `count` operations. */
const rows = [
  {
    title: 'a single step, synchronous',
    count: steps,
    target: 1.25,
    run: () => resumed('spin', 0, stepSync),
    what: 'steps',
  },
  {
    title: 'a single step, asynchronous',
    count: steps,
    target: 2,
    run: () => resumed('spin', 0, stepAsync),
    what: 'steps',
  },
  {
    title: 'a traced system call, synchronous',
    count: calls,
    target: 1.25,
    run: () => resumed('calls', calls, callSync),
    what: 'calls',
  },
  {
    title: 'a traced system call, asynchronous',
    count: calls,
    target: 2,
    run: () => resumed('calls', calls, callAsync),
    what: 'calls',
  },
  {
    title: `${threadCount} threads`,
    parts: ['born and followed', 'stopped and let go at once', 'stopped one by one'],
    count: threadCount,
    target: 2,
    run: threads,
    what: 'threads',
  },
]

const us = value => `${value.toFixed(1)} us`.padStart(12)

try {
  console.log(
    `Linux ${release()}, ${cpus()[0].model} x ${cpus().length}, Node ${process.versions.node}; load ${loadavg()[0].toFixed(1)}`,
  )
  console.log(`Medians of ${rounds} runs each, in turn; for one step, system call or thread\n`)
  console.log(`${''.padEnd(48)}${'C'.padStart(12)}${'tracegate'.padStart(12)}`)
  for (const { title, parts = [''], count, target, run, what } of rows) {
    /** @type {{ c: number[][], ours: number[][] }} */
    const samples = { c: [], ours: [] }
    // The first round compiles and fills caches.
    for (let round = -1; round < rounds; round++) {
      const [c, ours] = [reference(what, count), await run()]
      if (round < 0) continue
      samples.c.push(c)
      samples.ours.push(ours)
    }
    for (const [part, name] of parts.entries()) {
      const median = taken =>
        quantile(
          taken.map(each => each[part] / count),
          0.5,
        )
      const [c, ours] = [median(samples.c), median(samples.ours)]
      const ratio = ours / c
      const verdict = ratio <= target ? `<= ${target}` : `over ${target}`
      const label = name === '' ? title : `${title} ${name}`
      console.log(`${label.padEnd(48)}${us(c)}${us(ours)}   ${ratio.toFixed(2)} (${verdict})`)
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
