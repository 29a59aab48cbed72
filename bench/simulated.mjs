// The simulated system beside the real one: bytes through a pipe, and launches from fork to exit.

import { constants, launch, openSystem } from 'tracegate'
import { SimulatedKernel } from 'tracegate/sim'
import { quantile } from './measure.mjs'

const { O_CLOEXEC } = constants
const pairs = 200_000
const launches = 1000

/** One-byte write and read pairs per second, through one pipe of one process: the best of five runs. */
function pipePairs(system) {
  const [r, w] = system.pipe2(O_CLOEXEC)
  const byte = Uint8Array.of(7)
  let best = 0
  for (let run = 0; run < 5; run++) {
    const start = performance.now()
    for (let i = 0; i < pairs; i++) {
      system.write(w, byte)
      system.read(r, byte)
    }
    best = Math.max(best, pairs / (performance.now() - start))
  }
  system.close(r)
  system.close(w)
  return best * 1000
}

/** Median microseconds of one launch, stopped at its exec, continued and reaped. */
async function launchToExit(system) {
  const samples = []
  for (let i = -2 * launches; i < launches; i++) {
    const start = performance.now()
    const tracee = await launch('/bin/true', [], { system, stdio: 'ignore' })
    tracee.cont()
    await tracee.exited
    if (i >= 0) samples.push((performance.now() - start) * 1000)
  }
  return quantile(samples, 0.5)
}

/** The figures of both systems. */
export async function simulatedBesideNative() {
  const native = openSystem('native')
  const simulated = new SimulatedKernel().host
  return {
    pairs: { native: pipePairs(native), simulated: pipePairs(simulated) },
    launch: { native: await launchToExit(native), simulated: await launchToExit(simulated) },
  }
}
