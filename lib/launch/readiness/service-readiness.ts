/** What a launched program says about itself: whether it is ready, and its status. */

import { constants } from '../../system/constants.ts'
import { describeExit, NotReadyError } from '../../system/errors.ts'
import type { ReadinessWatch, System } from '../../system/system.ts'
import type { ExitStatus } from '../../system/wait-status.ts'
import type { Wanted } from '../stdio/stdio-entries.ts'
import { type Notifications, openNotifications, type ReadyConvention, type Said } from './notifications.ts'

/** A process closes its descriptors a moment before its end can be waited for. The end explains more: wait for it. */
const endFollowsWithinMs = 1000
/** A flood of datagrams must not keep the event loop, or a child's end, waiting. */
const mostReadsAtOnce = 64

type Outcome = 'ready' | Error

/** What a plan says of the program's start. */
interface Program {
  readonly stdio: readonly Wanted[]
  readonly inheritedFds: readonly number[]
  readonly env: readonly string[]
}

export class ServiceReadiness {
  readonly #system: System
  readonly #notifications: Notifications
  #pid = 0
  #watch: ReadinessWatch | undefined
  #outcome: Outcome | undefined
  #status: string | null = null
  #errno: number | undefined
  // Created on first use: a launch does not need it.
  #promise: Promise<void> | undefined
  #settle: ((outcome: Outcome) => void) | undefined
  #isAwaited = false

  constructor(system: System, convention: ReadyConvention) {
    this.#system = system
    this.#notifications = openNotifications(system, convention)
  }

  /** The plan with two additions: the child's end as the first descriptor beyond those of `stdio`, and the variable. */
  extend<Plan extends Program>(plan: Plan): Plan {
    const { variable, childFd } = this.#notifications
    const stdio = [...plan.stdio]
    // A kept descriptor keeps its number. In the list, 'closed' leaves it alone.
    if (childFd !== undefined) while (plan.inheritedFds.includes(stdio.length)) stdio.push({ kind: 'closed' })
    const number = stdio.length
    if (childFd !== undefined) stdio.push({ kind: 'fd', fd: childFd })
    const env = plan.env.filter(entry => !entry.startsWith(`${variable}=`))
    env.push(`${variable}=${this.#notifications.value(number)}`)
    return { ...plan, stdio, env }
  }

  /** The program's last STATUS=; null before the first. */
  get status(): string | null {
    this.#read()
    return this.#status
  }

  /** Resolves once the program has said that it is ready. */
  get ready(): Promise<void> {
    this.#isAwaited = true
    this.#promise ??= this.#whenSettled()
    if (this.#watch !== undefined) this.#watch.keepsAlive = this.#outcome === undefined
    return this.#promise
  }

  closeChildEnd(): void {
    this.#notifications.closeChildEnd()
  }

  /** Begins to read what the child says. */
  listen(pid: number): void {
    this.#pid = pid
    if (this.#notifications.fd < 0) return
    this.#watch = this.#system.watch(this.#notifications.fd, constants.POLLIN, {
      ready: () => this.#read(),
      failed: error => this.#end(error as Error),
    })
    this.#watch.keepsAlive = this.#isAwaited && this.#outcome === undefined
  }

  /** The child has ended: what it said before is read first. Null if another waiter has its status. */
  childEnded(pid: number, status: ExitStatus | null): void {
    this.#pid = pid
    this.#read()
    const how = status === null ? 'has ended, and was reaped by another waiter,' : describeExit(status)
    this.#settleWith(new NotReadyError(pid, `${how} before it was ready`, { status, errno: this.#errno }))
    this.close()
  }

  close(): void {
    this.#watch?.stop()
    this.#watch = undefined
    this.#notifications.close()
  }

  #read(): void {
    for (let i = 0; i < mostReadsAtOnce && this.#notifications.fd >= 0; i++) {
      const said = this.#readOnce()
      if (said === undefined) return
      if (said.status !== undefined) this.#status = said.status
      if (said.errno !== undefined) this.#errno = said.errno
      if (said.ready === true) this.#settleWith('ready')
    }
  }

  #readOnce(): Said | undefined {
    try {
      const said = this.#notifications.read(this.#pid)
      if (said?.over !== true) return said
      this.#over()
    } catch (error) {
      this.#end(error as Error)
    }
    return undefined
  }

  /** All copies of the child's end are closed. */
  #over(): void {
    this.close()
    if (this.#outcome !== undefined) return
    void this.#system.sleep(endFollowsWithinMs).then(() => {
      this.#settleWith(new NotReadyError(this.#pid, 'has closed its notification descriptor before it was ready'))
    })
  }

  #end(error: Error): void {
    this.close()
    this.#settleWith(error)
  }

  #settleWith(outcome: Outcome): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    if (this.#watch !== undefined) this.#watch.keepsAlive = false
    this.#settle?.(outcome)
  }

  #whenSettled(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      this.#settle = outcome => (outcome === 'ready' ? resolve() : reject(outcome))
      if (this.#outcome !== undefined) this.#settle(this.#outcome)
    })
    // A caller need not await it.
    promise.catch(() => {})
    return promise
  }
}
