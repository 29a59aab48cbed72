// The measured contenders. Each starts /bin/true, returns the microseconds it took, and leaves nothing behind.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Channel, constants, launch, openSystem } from 'tracegate'
import { loadReference } from './native/compile.mjs'

const { PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, PTRACE_O_TRACESYSGOOD } = constants
const tracerOptions = PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD
const byte = Uint8Array.of(1)
const program = '/bin/true'
const ownEnvironment = { ...process.env }
const env = Object.entries(ownEnvironment).map(([key, value]) => `${key}=${value}`)

const now = () => performance.now() * 1000

/** Exactly the calls of the C program. */
function sameCalls(system) {
  const start = now()
  const channel = Channel.open({ system })
  const pid = system.fork({
    actions: [
      { op: 'traceme' },
      { op: 'write', fd: channel.writeFd, data: byte },
      { op: 'execve', files: [program], argv: [program], env },
    ],
  })
  channel.waitSync()
  system.waitpid(pid)
  const taken = now() - start
  system.ptraceCont(pid)
  system.waitpid(pid)
  channel.close()
  return taken
}

/** The calls of launch() without its event loop, each blocking, as a debugger would make them. */
function launchCalls(system) {
  const start = now()
  const pid = system.fork({
    actions: [
      { op: 'parentDeathSignal', signal: 'SIGKILL' },
      { op: 'closeAllExcept', fds: [0, 1, 2] },
      { op: 'traceme' },
      { op: 'raise', signal: 'SIGSTOP' },
      { op: 'parentDeathSignal', signal: 0 },
      { op: 'execve', files: [program], argv: [program], env },
    ],
  })
  system.waitpid(pid)
  system.ptraceSetOptions(pid, tracerOptions)
  system.ptraceCont(pid)
  system.waitpid(pid)
  const taken = now() - start
  system.ptraceCont(pid)
  system.waitpid(pid)
  return taken
}

async function asynchronous(options) {
  const start = now()
  const child = await launch(program, [], options)
  const taken = now() - start
  if ('cont' in child) child.cont()
  await child.exited
  return taken
}

async function nodeSpawn(untilEvent) {
  const start = now()
  const child = spawn(program, [], { stdio: 'inherit' })
  const blocked = now() - start
  await once(child, 'spawn')
  const taken = now() - start
  await once(child, 'exit')
  return untilEvent ? taken : blocked
}

/**
 * The contenders, in the order of the table. `target`: the upper bound for a figure, as a multiple of the first
 * contender's.
 */
export function contenders() {
  const system = openSystem('native')
  const reference = loadReference()
  return [
    { name: 'C: clone(CLONE_VM), TRACEME, pipe, waitpid', run: () => reference.launch() },
    { name: 'tracegate, the same calls, blocking', run: () => sameCalls(system), target: 1.3 },
    { name: "tracegate, launch()'s calls, blocking", run: () => launchCalls(system), target: 1.3 },
    {
      name: 'tracegate launch(), env',
      run: () => asynchronous({ stdio: 'inherit', env: ownEnvironment }),
      target: 1.6,
    },
    { name: 'tracegate launch()', run: () => asynchronous({ stdio: 'inherit' }), target: 1.7 },
    { name: 'tracegate launch(), three pipes', run: () => asynchronous({}) },
    { name: "tracegate launch(), trace: 'seize'", run: () => asynchronous({ stdio: 'inherit', trace: 'seize' }) },
    { name: 'tracegate launch(), trace: false', run: () => asynchronous({ stdio: 'inherit', trace: false }) },
    { name: "child_process.spawn, to 'spawn'", isNode: true, run: () => nodeSpawn(true) },
    { name: 'child_process.spawn, event loop blocked', isNode: true, run: () => nodeSpawn(false) },
  ]
}
