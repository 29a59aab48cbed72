// The simulated kernel loads when it is opened, and uses the error classes of the other entry.
import { DeadlockError, openSystem, SystemError } from 'tracegate'

const system = openSystem('simulated')
const thrownBy = action => {
  try {
    action()
  } catch (error) {
    return error
  }
}
const { SimulatedDeadlockError, SimulatedKernel } = await import('tracegate/sim')
const { host } = new SimulatedKernel()
const [readFd] = host.pipe2()
const deadlock = thrownBy(() => host.read(readFd, new Uint8Array(1)))
const result = {
  kind: system.kind,
  ofOpened: thrownBy(() => system.close(99)) instanceof SystemError,
  ofKernel: thrownBy(() => host.close(99)) instanceof SystemError,
  deadlock: deadlock instanceof DeadlockError && deadlock instanceof SimulatedDeadlockError,
}
console.log(JSON.stringify(result))
