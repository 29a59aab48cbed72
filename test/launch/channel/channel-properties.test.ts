/**
 * Under every interleaving of notifications, waits, deadlines and aborts, each notification ends one wait, and
 * none is lost.
 */

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import { seedOf } from '../../support/seed.ts'
import { describeNative } from '../support/native.ts'

type Move =
  | { readonly do: 'notify' | 'wait' | 'turn' | 'microtask' }
  | { readonly do: 'wait with deadline'; readonly timeoutMs: number }
  | { readonly do: 'wait aborted at once' }
  | { readonly do: 'abort'; readonly which: number }

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Move>({ do: 'notify' }) },
  { weight: 4, arbitrary: fc.constant<Move>({ do: 'wait' }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait with deadline' as const), timeoutMs: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'wait aborted at once' }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.constant<Move>({ do: 'turn' }) },
  { weight: 2, arbitrary: fc.constant<Move>({ do: 'microtask' }) },
)

const turn = () => new Promise<void>(resolve => setImmediate(resolve))

interface Outcome {
  served: number[]
  refused: number
}

async function play(
  channel: Channel,
  moves: readonly Move[],
): Promise<{ sent: number; waits: Promise<void>[] } & Outcome> {
  const outcome: Outcome = { served: [], refused: 0 }
  const waits: Promise<void>[] = []
  const aborts: AbortController[] = []
  let sent = 0
  const wait = (timeoutMs?: number) => {
    const abort = new AbortController()
    aborts.push(abort)
    const number = waits.length
    waits.push(
      channel.wait({ signal: abort.signal, timeoutMs }).then(
        () => void outcome.served.push(number),
        () => void outcome.refused++,
      ),
    )
    return abort
  }
  for (const each of moves) {
    if (each.do === 'notify') {
      channel.notify()
      sent++
    } else if (each.do === 'wait') wait()
    else if (each.do === 'wait with deadline') wait(each.timeoutMs)
    else if (each.do === 'wait aborted at once') wait().abort()
    else if (each.do === 'abort') aborts[each.which % Math.max(1, aborts.length)]?.abort()
    else if (each.do === 'turn') await turn()
    else await Promise.resolve()
  }
  return Object.assign(outcome, { sent, waits })
}

describeNative('a channel', system => {
  it.each(['pipe', 'socketpair'] as const)('loses no notification and gives none twice (%s)', async kind => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 40 }), async moves => {
        using channel = Channel.open({ kind, system })
        const played = await play(channel, moves)
        // Sends one notification per wait, so that every pending wait ends. The surplus must still be unread.
        for (let i = 0; i < played.waits.length; i++) channel.notify()
        const sent = played.sent + played.waits.length
        await Promise.all(played.waits)
        const { served, refused } = played
        expect(served.length + refused).toBe(played.waits.length)
        expect(served, 'those served were served in their order').toEqual([...served].sort((a, b) => a - b))
        expect(system.bytesReadable(channel.readFd)).toBe(sent - served.length)
      }),
      { numRuns: 150, seed: seedOf(kind) },
    )
  })

  it('ends every wait, each once, when it is closed in the midst of it all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 25 }), fc.boolean(), async (moves, ours) => {
        using channel = Channel.open({ system })
        const played = await play(channel, moves)
        const unread = system.bytesReadable(channel.readFd)
        if (ours) channel.closeRead()
        else channel.closeWrite()
        await Promise.all(played.waits)
        expect(played.served.length + played.refused).toBe(played.waits.length)
        expect(played.served.length).toBeLessThanOrEqual(played.sent)
        if (ours) expect(played.sent - played.served.length).toBeGreaterThanOrEqual(unread)
      }),
      { numRuns: 100, seed: seedOf('closed channels') },
    )
  })
})
