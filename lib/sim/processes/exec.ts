/** execve(2): a process runs another program. */

import { constants } from '../../system/constants.ts'
import { byteLength } from '../base/byte-length.ts'
import { removeFrom } from '../base/remove-from.ts'
import { blocked, E2BIG, EAGAIN } from '../base/results.ts'
import { Wait, type WaitReason } from '../files/wait.ts'
import { Memory } from './memory.ts'
import { unlinkFromTracer } from './reap.ts'
import { killOthers, wakeParent } from './signals.ts'
import { type Code, newFrame, type Task } from './task.ts'
import { endVfork } from './vfork.ts'

/** A program to run, and what it is given. */
interface Execution {
  readonly code: Code
  readonly file: string
  readonly argv: readonly string[]
  readonly env: readonly string[]
}

/** MAX_ARG_STRLEN: the bytes of one argument or variable, its NUL included. */
const longestString = 131_072
/** The bytes of all of them, of the path, and of the pointers to them: a quarter of a stack of 8 MiB. */
const mostBytes = 2_097_152
const pointerBytes = 8

/** execve(2): a negative errno, `blocked` until the other threads have ended, or 0, which no program sees. */
export function execute(task: Task, file: string, given: readonly string[], env: readonly string[]): number {
  const { kernel, process } = task
  const code = kernel.fileTree.program(process.directory, file)
  if (typeof code === 'number') return code
  // Since Linux 5.18: a program never starts without argv[0].
  const argv = given.length === 0 ? [''] : given
  if (isTooBig(file, argv, env)) return -E2BIG
  const execution = { code, file, argv, env }
  if (process.unreaped.length > 1) {
    if (process.execTask !== null || process.groupExit !== null) return -EAGAIN
    process.execTask = task
    killOthers(task)
    if (!isAlone(task)) return task.block(new ExecWait(task, execution))
  }
  run(task, execution)
  return 0
}

/** Whether execve(2) refuses a program's arguments and environment by E2BIG. */
function isTooBig(file: string, argv: readonly string[], env: readonly string[]): boolean {
  let total = byteLength(file) + 1 + pointerBytes * (argv.length + env.length)
  for (const list of [argv, env]) {
    for (const each of list) {
      const bytes = byteLength(each) + 1
      if (bytes > longestString) return true
      total += bytes
    }
  }
  return total > mostBytes
}

/**
 * Whether all other threads are gone. A thread counts until it is reaped, which its tracer may delay. The leader counts
 * only until it has ended.
 */
function isAlone(task: Task): boolean {
  return task.process.unreaped.every(other => other === task || (other.isLeader && other.state === 'zombie'))
}

function run(task: Task, { code, file, argv, env }: Execution): void {
  const { kernel, process } = task
  const formerTid = task.tid
  process.execTask = null
  becomeLeader(task)
  process.image = { path: file, argv, env }
  process.memory = new Memory(process.image, kernel.newMemoryMark())
  process.hasExeced = true
  process.descriptors.closeForExec()
  for (const [signal, { handler }] of process.actions) if (typeof handler === 'function') process.actions.delete(signal)
  task.frames.length = 0
  task.frames.push(newFrame(code(task)))
  kernel.trace.executed?.(task)
  endVfork(task)
  if (task.trace !== null) {
    task.events.push({ event: constants.PTRACE_EVENT_EXEC, message: formerTid, child: null })
  }
}

/** Takes the leader's number and place. The leader has ended, and vanishes without its tracer seeing that end. */
function becomeLeader(task: Task): void {
  const { kernel, process } = task
  const { leader } = process
  if (leader === task) return
  kernel.trace.reaped?.(leader)
  if (leader.trace !== null) {
    const tracer = leader.reportsTo
    unlinkFromTracer(leader)
    wakeParent(tracer)
  }
  leader.state = 'dead'
  removeFrom(process.unreaped, leader)
  kernel.tasks.delete(task.tid)
  task.tid = process.id
  process.leader = task
  kernel.tasks.set(task.tid, task)
}

/** An execve(2) that waits for the other threads. */
class ExecWait extends Wait<Task> {
  readonly #execution: Execution

  constructor(task: Task, execution: Execution) {
    super(task)
    this.#execution = execution
  }

  override get isKillable(): boolean {
    return true
  }

  attempt(): number {
    // Checked first: a kill ends the other threads too, but the exec must not go on then.
    if (this.task.killed) return this.interrupted()
    if (!isAlone(this.task)) return blocked
    run(this.task, this.#execution)
    return 0
  }

  /** The process is killed. */
  override interrupted(): number {
    this.task.process.execTask = null
    return -EAGAIN
  }

  leave(): void {}

  get reason(): WaitReason {
    const others = this.task.process.unreaped.filter(other => other !== this.task)
    return { on: 'exec', tids: others.map(({ tid }) => tid) }
  }
}
