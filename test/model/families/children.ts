/** Children that read and write their parent's descriptors: blocking calls, and ends held by other processes. */

import { constants } from '../../../lib/system/constants.ts'
import type { Draft, FdKind } from '../draft.ts'
import type { ChildStep } from '../operations.ts'
import type { Weighted } from '../random.ts'
import type { Recipe } from './family.ts'
import { anySize } from './sizes.ts'

const { WNOHANG, WUNTRACED, WCONTINUED, __WALL } = constants

/**
 * Most bytes that a child reads in one call. A longer read takes several calls, between which children at one pipe
 * would race.
 */
const mostOfOneRead = 256

const readers: ReadonlySet<FdKind> = new Set(['reader', 'stream', 'dgram', 'seqpacket'])

/** Steps of a child: one call that may block, then exit. */
function inAndOut(draft: Draft, kinds: readonly FdKind[]): ChildStep[] {
  const { dice } = draft
  const fd = draft.blockingFd(...kinds) ?? draft.fd(...kinds)
  const kind = draft.kindOf(fd)
  const reads = kind === undefined || kind === 'writer' ? false : kind === 'reader' || dice.oneIn(2)
  const steps: ChildStep[] = []
  if (reads && readers.has(kind!)) steps.push({ op: 'read', fd, bytes: dice.within(1, mostOfOneRead) })
  else steps.push({ op: 'write', fd, bytes: anySize(dice) })
  if (dice.oneIn(3)) steps.unshift({ op: 'close', fd: draft.anyFd() })
  steps.push({ op: 'exit', code: dice.within(0, 300) })
  return steps
}

const waitOptions = [WNOHANG, WNOHANG | WUNTRACED, WNOHANG | WUNTRACED | WCONTINUED, WNOHANG | __WALL, 0, WUNTRACED]

const typeOf: ReadonlyMap<FdKind, number> = new Map([
  ['stream', constants.SOCK_STREAM],
  ['dgram', constants.SOCK_DGRAM],
  ['seqpacket', constants.SOCK_SEQPACKET],
])

/** Children at work on descriptors of these kinds, with signals that interrupt them. */
export function childRecipes(kinds: readonly FdKind[], weight: number): readonly Weighted<Recipe>[] {
  const fork: Recipe = draft =>
    draft.mayFork ? { op: 'fork', child: draft.newChildSlot(), steps: inAndOut(draft, kinds) } : undefined
  const wait: Recipe = draft =>
    draft.hasChildren ? { op: 'waitpid', child: draft.child(), options: draft.dice.of(waitOptions) } : undefined
  const kill: Recipe = draft => {
    if (!draft.hasChildren) return undefined
    const signal = draft.dice.of(['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGCONT', 'SIGCONT', 'SIGCHLD', 'SIGINT'] as const)
    return { op: 'kill', child: draft.child(), signal }
  }
  /** Opens a pair with a non-blocking end for the parent, and a blocking end for children. */
  const open: Recipe = draft => {
    if (draft.isCrowded) return undefined
    const to = [draft.newSlot(), draft.newSlot()]
    const type = typeOf.get(draft.dice.of(kinds))
    return [
      type === undefined
        ? { op: 'pipe2', to, flags: 0 }
        : { op: 'socketpair', to, domain: constants.AF_UNIX, type, protocol: 0 },
      { op: 'fcntl', fd: draft.dice.of(to), command: 'F_SETFL', argument: constants.O_NONBLOCK },
    ]
  }
  return [
    [weight, open],
    [weight, fork],
    [weight * 3, wait],
    [weight, kill],
  ]
}
