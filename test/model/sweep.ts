/** The state observed after every operation. */

import { constants } from '../../lib/system/constants.ts'
import type { System } from '../../lib/system/system.ts'
import type { Observation } from './compare.ts'
import { outcome, type Session } from './session.ts'

const { POLLIN, POLLPRI, POLLOUT, POLLRDNORM, POLLRDBAND, POLLWRNORM, POLLWRBAND, POLLMSG, POLLRDHUP } = constants
const { F_GETFD, F_GETFL, F_GETPIPE_SZ } = constants

const everyEvent = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLMSG | POLLRDHUP

/** Every open descriptor's readiness and readable bytes, and every child's state. */
export function sweep(session: Session, quiet: boolean): Observation {
  const { system } = session.world
  const fds = [...session.open].sort((a, b) => a - b)
  return {
    fds,
    revents: quiet
      ? null
      : outcome(() =>
          system.poll(
            fds.map(fd => ({ fd, events: everyEvent })),
            0,
          ),
        ),
    readable: fds.map(fd => outcome(() => system.bytesReadable(fd))),
    children: [...session.children].map(([pid, slot]) => `${slot} ${session.stateOf(pid)}`),
  }
}

/** At the end of a program: every descriptor's flags and remaining data, and whether closing all leaves none open. */
export function finish(session: Session): Observation {
  const { system } = session.world
  const found: Observation[] = []
  for (const fd of [...session.open].sort((a, b) => a - b)) {
    found.push([
      fd,
      outcome(() => system.fcntl(fd, F_GETFL)),
      outcome(() => system.fcntl(fd, F_GETFD)),
      outcome(() => system.fcntl(fd, F_GETPIPE_SZ)),
      outcome(() => {
        system.close(fd)
        return 'closed'
      }),
    ])
  }
  session.open.clear()
  const free = outcome(() => {
    const fd = system.dup(0)
    system.close(fd)
    return fd
  })
  return { found, free }
}

/** Ends and reaps the children that a program left, without comparing them. A leader's end comes after its threads'. */
export function endChildren(session: Session): void {
  const { system } = session.world
  const anyOther = () => outcome(() => system.waitpid(-1, constants.WNOHANG | constants.__WALL)?.pid ?? null)
  for (;;) {
    for (const pid of session.children.keys()) if (isReaped(system, pid)) session.children.delete(pid)
    // Tasks that no event has announced are found by a wait for any.
    const other = session.hasThreads ? anyOther() : 'ECHILD'
    if (typeof other === 'number') session.children.set(other, 'another')
    else if (session.children.size === 0 && other !== null) return
    session.settle()
  }
}

/** Kills a task, lets it go, and waits for it; whether there is nothing left of it. */
function isReaped(system: System, pid: number): boolean {
  outcome(() => void system.kill(pid, 'SIGKILL'))
  // PTRACE_O_TRACEEXIT stops even a killed child once.
  outcome(() => void system.ptraceCont(pid))
  const result = outcome(() => {
    const status = system.waitpid(pid, constants.WNOHANG | constants.__WALL)?.status
    return status === undefined ? 'nothing yet' : status.kind
  })
  return result !== 'stopped' && result !== 'continued' && result !== 'nothing yet'
}
