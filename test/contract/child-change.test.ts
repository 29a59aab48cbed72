import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { uncaughtDuring } from '../support/uncaught.ts'
import { endOf, heldChild, rejection } from './helpers.ts'
import { describeContract } from './suite.ts'

const { WNOHANG, WUNTRACED } = constants

describeContract('changes of children', world => {
  /** Calls `look` at each change; resolves with the first result it returns. */
  const seenAtChange = <T>(look: () => T | null) => {
    let stop = () => {}
    return new Promise<T>(resolve => {
      stop = world.system.onChildChange(() => {
        const found = look()
        if (found !== null) resolve(found)
      })
    }).finally(() => stop())
  }

  it('are announced when a child ends', async () => {
    const child = heldChild(world.system, { after: [{ op: 'exit', code: 5 }] })
    const end = seenAtChange(() => world.system.waitpid(child.pid, WNOHANG))
    child.release()
    expect((await end).raw).toBe(0x0500)
  })

  it('are announced when a child stops', async () => {
    const child = heldChild(world.system)
    const stop = seenAtChange(() => world.system.waitpid(child.pid, WNOHANG | WUNTRACED))
    world.system.kill(child.pid, 'SIGSTOP')
    expect((await stop).raw).toBe(0x137f)
  })

  it('are announced when a child stops while another one is waited for', async () => {
    const { system } = world
    const [waited, other] = [heldChild(system), heldChild(system)]
    const stopWaited = () => {
      system.kill(waited.pid, 'SIGSTOP')
      expect(system.waitpid(waited.pid, WUNTRACED)).toMatchObject({ raw: 0x137f })
      system.kill(waited.pid, 'SIGCONT')
    }
    for (let i = 0; i < 20; i++) {
      const stop = seenAtChange(() => system.waitpid(other.pid, WNOHANG | WUNTRACED))
      for (let each = 0; each < 3; each++) stopWaited()
      system.kill(other.pid, 'SIGSTOP')
      stopWaited()
      expect((await stop).raw).toBe(0x137f)
      system.kill(other.pid, 'SIGCONT')
    }
  })

  /** Ends a child; resolves once a listener added after all others has been called. */
  const announcedEnd = async () => {
    const child = heldChild(world.system)
    const end = seenAtChange(() => world.system.waitpid(child.pid, WNOHANG))
    child.release()
    await end
  }

  it('are announced to every listener', async () => {
    const heard = [0, 0, 0]
    const stops = heard.map((_, i) => world.system.onChildChange(() => heard[i]!++))
    await announcedEnd()
    for (const stop of stops) stop()
    expect(heard.every(times => times > 0)).toBe(true)
  })

  it('are no longer announced to one that unsubscribed, also twice', async () => {
    let heard = 0
    const stop = world.system.onChildChange(() => heard++)
    stop()
    stop()
    await announcedEnd()
    expect(heard).toBe(0)
  })

  it('one listener subscribed twice is two subscriptions', async () => {
    let heard = 0
    const listener = () => {
      heard++
    }
    const stops = [world.system.onChildChange(listener), world.system.onChildChange(listener)]
    stops[0]!()
    await announcedEnd()
    stops[1]!()
    expect(heard).toBeGreaterThan(0)
  })

  it('a listener may unsubscribe itself and subscribe another while it is called', async () => {
    let first = 0
    let second = 0
    let stopSecond = () => {}
    const stop = world.system.onChildChange(() => {
      first++
      stop()
      stopSecond = world.system.onChildChange(() => second++)
    })
    await announcedEnd()
    await announcedEnd()
    stopSecond()
    expect(first).toBe(1)
    expect(second).toBeGreaterThan(0)
  })

  it('one listener that throws does not keep the others from hearing', async () => {
    const fault = new Error('a fault of the listener')
    let heard = 0
    const caught = await uncaughtDuring(async () => {
      const stops = [
        world.system.onChildChange(() => {
          throw fault
        }),
        world.system.onChildChange(() => heard++),
      ]
      await announcedEnd()
      for (const stop of stops) stop()
    })
    expect(heard).toBeGreaterThan(0)
    expect(caught.length).toBeGreaterThan(0)
    expect(new Set(caught)).toEqual(new Set([fault]))
  })

  it('many children that end at once are all found', async () => {
    const children = Array.from({ length: 50 }, () => heldChild(world.system))
    const ends = children.map(child => endOf(world.system, child.pid))
    for (const child of children) child.release()
    expect(await Promise.all(ends)).toEqual(children.map(() => 0))
  })

  it('a new subscription after the last was ended is called again', async () => {
    for (let i = 0; i < 20; i++) {
      const pid = world.system.fork({ actions: [{ op: 'exit', code: i }] })
      expect(await endOf(world.system, pid)).toBe(i << 8)
    }
  })

  it('waiting for none of ours rejects and leaves no subscription', async () => {
    expect(await rejection(endOf(world.system, 1))).toMatchObject({ code: 'ECHILD' })
  })
})
