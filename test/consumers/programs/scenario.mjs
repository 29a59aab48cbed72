// A launcher's handshake, as system calls on the simulated kernel, without any Node API.
import { SimulatedKernel } from 'tracegate/sim'

const PTRACE_O_TRACEEXEC = 0x10
const { TextEncoder, TextDecoder } = globalThis

function* greet(process) {
  yield* process.write(1, new TextEncoder().encode(`hello ${process.argv[1]}`))
  return 7
}

export async function scenario() {
  const kernel = new SimulatedKernel({ seed: 7, programs: { '/bin/greet': greet } })
  const system = kernel.host
  const [ready, notify] = system.pipe2()
  const [output, childOutput] = system.pipe2()
  const pid = system.fork({
    actions: [
      { op: 'dup2', fd: childOutput, target: 1 },
      { op: 'traceme' },
      { op: 'write', fd: notify, data: Uint8Array.of(1) },
      { op: 'raise', signal: 'SIGSTOP' },
      { op: 'execve', files: ['/bin/greet'], argv: ['greet', 'the world'], env: [] },
    ],
  })
  const notified = system.read(ready, new Uint8Array(1))
  const stops = [system.waitpid(pid).status]
  system.kill(pid, 0)
  system.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
  system.ptraceCont(pid)
  stops.push(system.waitpid(pid).status)
  system.ptraceCont(pid)
  const POLLIN = 1
  await system.ready(output, POLLIN)
  const text = new Uint8Array(64)
  const bytes = system.read(output, text)
  const before = system.now()
  await system.sleep(60_000)
  const slept = system.now() - before
  return {
    notified,
    stops,
    output: new TextDecoder().decode(text.subarray(0, bytes)),
    exited: system.waitpid(pid).status,
    slept,
    crashes: kernel.crashes.length,
  }
}
