/** Files outside the simulation, behind the host's descriptors 0 to 2. */

import { describe, expect, it } from 'vitest'
import { constants, SystemError } from '../../../lib/index.ts'
import { type ExternalFile, SimulatedKernel } from '../../../lib/sim/index.ts'
import { thrown } from '../../contract/helpers.ts'

const { F_SETFL, O_NONBLOCK, POLLIN, POLLOUT } = constants

const coded = (code: string) => Object.assign(new Error('from outside'), { code })

/** A file that takes as many bytes as it has room for, and calls back when it gets more. */
class Narrow implements ExternalFile {
  room: number
  text = ''
  #changed = () => {}

  constructor(room: number) {
    this.room = room
  }

  write(data: Uint8Array): number {
    const bytes = Math.min(this.room, data.length)
    this.room -= bytes
    this.text += new TextDecoder().decode(data.subarray(0, bytes))
    return bytes
  }

  watch(changed: () => void): () => void {
    this.#changed = changed
    return () => {
      this.#changed = () => {}
    }
  }

  widen(bytes: number): void {
    this.room += bytes
    this.#changed()
  }
}

const hello = () => new TextEncoder().encode('hello')

describe('a write to a file outside', () => {
  it('of which the file takes a part waits until it has taken the rest', async () => {
    const file = new Narrow(2)
    const world = new SimulatedKernel({ clock: 'real', stdio: { 1: file } })
    world.install('/bin/hello', function* (process) {
      return (yield* process.write(1, hello())) === 5 ? 0 : 1
    })
    const { host } = world
    const pid = host.fork({ actions: [{ op: 'execve', files: ['/bin/hello'], argv: [], env: [] }] })
    world.settle()
    expect([file.text, host.waitpid(pid, constants.WNOHANG)]).toEqual(['he', null])
    expect(world.blocked()).toMatchObject([{ on: 'external-write', description: expect.stringContaining('to write') }])
    file.widen(1)
    world.settle()
    expect([file.text, host.waitpid(pid, constants.WNOHANG)]).toEqual(['hel', null])
    file.widen(9)
    expect(host.waitpid(pid)!.status).toMatchObject({ code: 0 })
    expect(file.text).toBe('hello')
  })

  it('that a signal interrupts returns what was taken', () => {
    const world = new SimulatedKernel({ stdio: { 1: new Narrow(2) } })
    const { status } = world.run(
      function* (process) {
        yield* process.sigaction('SIGUSR1', function* () {})
        const self = process.pid
        yield* process.thread(function* (thread) {
          yield* thread.kill(self, 'SIGUSR1')
        })
        return yield* process.write(1, hello())
      },
      { stdio: 'inherit' },
    )
    expect(status).toMatchObject({ code: 2 })
  })

  it('returns what there was room for, then EAGAIN, where it must not block; poll tells of the room', () => {
    const file = new Narrow(2)
    const { host } = new SimulatedKernel({ stdio: { 1: file } })
    host.fcntl(1, F_SETFL, O_NONBLOCK)
    expect(host.write(1, hello())).toBe(2)
    expect(thrown(() => host.write(1, hello()))).toMatchObject({ code: 'EAGAIN' })
    expect(host.poll([{ fd: 1, events: POLLOUT }], 0)).toEqual([0])
    file.widen(5)
    expect(host.poll([{ fd: 1, events: POLLOUT }], 0)).toEqual([POLLOUT])
    expect(host.write(1, hello())).toBe(5)
  })

  it('takes all of the bytes if the method returns nothing', () => {
    const { host } = new SimulatedKernel({ stdio: { 1: { write() {} } } })
    expect(host.write(1, hello())).toBe(5)
  })

  it.each(['ENOSPC', 'EIO', 'EPIPE'])('fails with the errno %s that the file throws', code => {
    const write = () => {
      throw coded(code)
    }
    const { host } = new SimulatedKernel({ stdio: { 1: { write } } })
    const error = thrown(() => host.write(1, hello()))
    expect(error).toBeInstanceOf(SystemError)
    expect(error).toMatchObject({ code, syscall: 'write' })
  })

  it('ends a program by SIGPIPE where the file throws EPIPE', () => {
    const write = () => {
      throw coded('EPIPE')
    }
    const { status } = new SimulatedKernel({ stdio: { 1: { write } } }).run('/bin/echo', { stdio: 'inherit' })
    expect(status).toMatchObject({ signal: 'SIGPIPE' })
  })

  it('blocks a host call where the file changes meanwhile, and is a deadlock where it does not', () => {
    let refusals = 3
    const file = {
      write: () => (refusals-- > 0 ? 0 : undefined),
      watch: () => () => {},
    }
    const blocking = new SimulatedKernel({ stdio: { 1: { ...file, changesWhileBlocked: true } } })
    expect([blocking.host.write(1, hello()), refusals]).toEqual([5, -1])
    refusals = 3
    const { host } = new SimulatedKernel({ stdio: { 1: file } })
    expect(thrown(() => host.write(1, hello()))).toMatchObject({ code: 'ERR_DEADLOCK' })
  })
})

describe('a read of a file outside', () => {
  it('fails with the errno that the file throws, and is ready for it', () => {
    const read = () => {
      throw coded('EIO')
    }
    const { host } = new SimulatedKernel({ stdio: { 0: { read } } })
    expect(host.poll([{ fd: 0, events: POLLIN }], 0)).toEqual([POLLIN])
    expect(thrown(() => host.read(0, new Uint8Array(1)))).toMatchObject({ code: 'EIO', syscall: 'read' })
  })

  it('takes EAGAIN for no input yet', () => {
    const read = () => {
      throw coded('EAGAIN')
    }
    const { host } = new SimulatedKernel({ stdio: { 0: { read } } })
    host.fcntl(0, F_SETFL, O_NONBLOCK)
    expect(thrown(() => host.read(0, new Uint8Array(1)))).toMatchObject({ code: 'EAGAIN', syscall: 'read' })
    expect(host.poll([{ fd: 0, events: POLLIN }], 0)).toEqual([0])
  })
})

describe('a file outside', () => {
  it.for<[string, object]>([
    ['write', { write: 5 }],
    ['read', { read: 'x' }],
    ['watch', { read: () => 0, watch: true }],
    ['changesWhileBlocked', { read: () => 0, changesWhileBlocked: 1 }],
    ['an object with a read or a write method', {}],
  ])('with a wrong %s is refused', ([name, file]) => {
    expect(() => new SimulatedKernel({ stdio: { 1: file } })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining(name) }),
    )
  })

  it.for<[string, unknown, string]>([
    ['read', 99, 'ERR_OUT_OF_RANGE'],
    ['read', -1, 'ERR_OUT_OF_RANGE'],
    ['read', Number.NaN, 'ERR_OUT_OF_RANGE'],
    ['read', Promise.resolve(1), 'ERR_INVALID_RETURN_VALUE'],
    ['read', null, 'ERR_INVALID_RETURN_VALUE'],
    ['write', 6, 'ERR_OUT_OF_RANGE'],
    ['write', 0.5, 'ERR_OUT_OF_RANGE'],
    ['write', true, 'ERR_INVALID_RETURN_VALUE'],
  ])('whose %s returns %o is told so', ([method, answer, code]) => {
    const file = { [method]: () => answer } as ExternalFile
    const { host } = new SimulatedKernel({ stdio: { 0: file } })
    const call = method === 'read' ? () => host.read(0, new Uint8Array(3)) : () => host.write(0, hello())
    expect(thrown(call)).toMatchObject({ code, message: expect.stringContaining(`${method}() of the outside file`) })
  })

  it('passes on an error that is no errno', () => {
    const write = () => {
      throw new RangeError('a mistake')
    }
    const { host } = new SimulatedKernel({ stdio: { 1: { write } } })
    expect(thrown(() => host.write(1, hello()))).toMatchObject({ message: 'a mistake' })
  })
})
