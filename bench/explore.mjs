// Schedules that explore() runs per second, of the bare handshake and of launch(). Also checks that memory stays
// flat.
//
// Prints one line each. `node --expose-gc bench/explore.mjs [schedules]`: the schedules of the memory check
// (default: a million).

import { constants, launch } from 'tracegate'
import { explore } from 'tracegate/sim'
import { quantile } from './measure.mjs'

const { O_CLOEXEC } = constants
const notification = Uint8Array.of(1)
const execTrue = { op: 'execve', files: ['/bin/true'], argv: ['true'], env: [] }

/** The parent's and the child's side, in system calls only. */
export function handshake({ system }) {
  const [read, write] = system.pipe2(O_CLOEXEC)
  const pid = system.fork({ actions: [{ op: 'traceme' }, { op: 'write', fd: write, data: notification }, execTrue] })
  system.close(write)
  system.read(read, new Uint8Array(1))
  system.close(read)
  if (system.waitpid(pid).status.kind !== 'stopped') throw new Error('not stopped at its exec')
  system.ptraceCont(pid)
  if (system.waitpid(pid).status.kind !== 'exited') throw new Error('not ended')
}

/** A launch from the first call to the child's end. */
export async function launching({ system }) {
  const tracee = await launch('/bin/true', [], { system, stdio: 'ignore', env: {} })
  tracee.cont()
  const { code } = await tracee.exited
  if (code !== 0) throw new Error(`exited with ${code}`)
}

/** The same with faults allowed. Without faults there are so few schedules that startup would dominate. */
async function launchingWithFaults({ system }) {
  let tracee
  try {
    tracee = await launch('/bin/true', [], { system, stdio: 'ignore', env: {} })
    tracee.cont()
    await tracee.exited
  } catch {
    await tracee?.[Symbol.asyncDispose]()
  }
}

/** Schedules per second of processor time: the median of several runs of at least `least` schedules each. */
async function rate(scenario, options, least) {
  const samples = []
  for (let run = 0; run < 7; run++) {
    const before = process.cpuUsage()
    let done = 0
    while (done < least) {
      const { schedules, failure } = await explore(scenario, { ...options, maxSchedules: least - done, seed: run })
      if (failure) throw failure.error
      done += schedules
    }
    const { user, system } = process.cpuUsage(before)
    if (run > 1) samples.push((done / (user + system)) * 1e6)
  }
  return quantile(samples, 0.5)
}

/** Schedules per second, by scenario and strategy. */
export async function explorationRates() {
  return {
    handshake: {
      random: await rate(handshake, { strategy: 'random' }, 20_000),
      pct: await rate(handshake, { strategy: 'pct' }, 20_000),
    },
    launch: {
      random: await rate(launching, { strategy: 'random' }, 3000),
      bounded: await rate(launchingWithFaults, { faults: 1 }, 3000),
      exhaustive: await rate(launchingWithFaults, { strategy: 'exhaustive', faults: 1 }, 3000),
    },
  }
}

/** Heap in use, in bytes, at ten points of a run of this many schedules. */
export async function heapOver(schedules) {
  const heaps = []
  let next = schedules / 10
  await explore(handshake, {
    strategy: 'random',
    maxSchedules: schedules,
    onProgress({ schedules: done }) {
      if (done < next) return
      next += schedules / 10
      globalThis.gc?.()
      heaps.push(process.memoryUsage().heapUsed)
    },
  })
  return heaps
}

if (import.meta.filename === process.argv[1]) {
  const rates = await explorationRates()
  for (const [name, by] of Object.entries(rates)) {
    for (const [strategy, value] of Object.entries(by)) {
      console.log(`${name}, ${strategy}: ${Math.round(value).toLocaleString('en')} schedules/s`)
    }
  }
  const schedules = Number(process.argv[2] ?? 1_000_000)
  const heaps = await heapOver(schedules)
  const mebibytes = heaps.map(bytes => (bytes / 2 ** 20).toFixed(1))
  console.log(`heap over ${schedules.toLocaleString('en')} schedules: ${mebibytes.join(', ')} MiB`)
}
