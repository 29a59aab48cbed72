import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { launch } from '../../lib/launch/launch.ts'
import { loadAddon } from '../../lib/native/load-addon.ts'
import { NativeSystem } from '../../lib/native/native-system.ts'
import { withPolledLoop } from '../../lib/native/polled-loop.ts'
import { constants } from '../../lib/system/constants.ts'
import type { System } from '../../lib/system/system.ts'
import { describeNative } from '../support/describe-native.ts'
import { type TidySystem, tidySystem } from '../support/tidy.ts'

const { O_CLOEXEC, POLLIN, POLLOUT, POLLHUP } = constants

// Bun and Deno have only this way. test/consumers tests it there.
describeNative('the native system without an event loop of libuv', () => {
  let tidied: TidySystem | undefined
  afterEach(() => tidied?.tidy())

  const open = (): System => {
    tidied = tidySystem(new NativeSystem(withPolledLoop(loadAddon())))
    return tidied.system
  }
  const epolls = () =>
    readdirSync('/proc/self/fd').filter(fd => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventpoll]'
      } catch {
        return false // the listing's own descriptor
      }
    }).length

  it('resolves every pending ready() once there is data to read', async () => {
    const system = open()
    const [readFd, writeFd] = system.pipe2(O_CLOEXEC)
    const waits = [system.ready(readFd, POLLIN), system.ready(readFd, POLLIN)]
    expect(await system.ready(writeFd, POLLOUT)).toBe(POLLOUT)
    system.write(writeFd, Uint8Array.of(1))
    expect(await Promise.all(waits)).toEqual([POLLIN, POLLIN])
    system.close(writeFd)
    expect(await system.ready(readFd, POLLIN)).toBe(POLLIN | POLLHUP)
  })

  it('distinguishes descriptors with large numbers', async () => {
    const system = open()
    const [readFd, writeFd] = system.pipe2(O_CLOEXEC)
    const high = system.dup3(readFd, 900, O_CLOEXEC)
    const waiting = system.ready(high, POLLIN)
    system.write(writeFd, Uint8Array.of(1))
    expect(await waiting).toBe(POLLIN)
  })

  it('rejects a wait whose descriptor is closed, and one that is aborted', async () => {
    const system = open()
    const [readFd] = system.pipe2(O_CLOEXEC)
    const abort = new AbortController()
    const aborted = system.ready(readFd, POLLIN, { signal: abort.signal })
    const waiting = system.ready(readFd, POLLIN)
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    system.close(readFd)
    await expect(waiting).rejects.toMatchObject({ code: 'EBADF', syscall: 'ready' })
    await expect(system.ready(readFd, POLLIN)).rejects.toMatchObject({ code: 'EBADF' })
  })

  it('keeps no descriptor open while nothing is waited for', async () => {
    const system = open()
    const before = epolls()
    const [readFd, writeFd] = system.pipe2(O_CLOEXEC)
    const waiting = system.ready(readFd, POLLIN)
    expect(epolls()).toBe(before + 1)
    system.write(writeFd, Uint8Array.of(1))
    await waiting
    expect(epolls()).toBe(before)
  })

  it('launches, traces and reaps', async () => {
    const system = open()
    const tracee = await launch('/bin/cat', [], { system })
    expect(tracee.stop).toEqual({ kind: 'stopped', signal: 'SIGTRAP', event: 'exec' })
    const closed = once(tracee, 'close')
    const run = tracee.run()
    tracee.stdin?.end('through a pipe')
    let output = ''
    for await (const chunk of tracee.stdout!) output += chunk
    expect({ output, code: (await run).code }).toEqual({ output: 'through a pipe', code: 0 })
    await closed
  })

  it('reports a child that ended', async () => {
    const system = open()
    const pid = system.fork({ actions: [{ op: 'exit', code: 3 }] })
    const status = await new Promise(resolve => {
      const unsubscribe = system.onChildChange(() => {
        const result = system.waitpid(pid, constants.WNOHANG)
        if (result === null) return
        unsubscribe()
        resolve(result.status)
      })
    })
    expect(status).toEqual({ kind: 'exited', code: 3, signal: null })
  })
})
