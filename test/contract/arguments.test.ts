import { describe, expect, it } from 'vitest'
import type { System } from '../../lib/system/system.ts'
import { rejection, thrown } from './helpers.ts'
import { describeContract } from './suite.ts'

const data = new Uint8Array(4)
const siginfo = new Uint8Array(128)
const event = { events: 1, data: 0 }

type Call = (system: System, value: never) => unknown

// Each call takes the argument under test. Its other arguments would fail in the kernel without an effect.
const ints: readonly [string, Call][] = [
  ['socketpair domain', (s, v) => s.socketpair(v, -1)],
  ['socketpair protocol', (s, v) => s.socketpair(-1, -1, v)],
  ['read fd', (s, v) => s.read(v, data)],
  ['write fd', (s, v) => s.write(v, data)],
  ['send fd', (s, v) => s.send(v, data)],
  ['recv fd', (s, v) => s.recv(v, data)],
  ['sendmsg fd', (s, v) => s.sendmsg(v, { data })],
  ['sendmsg descriptors', (s, v) => s.sendmsg(-1, { data, fds: [v] })],
  ['recvmsg fd', (s, v) => s.recvmsg(v, { buffer: data })],
  ['shutdown fd', (s, v) => s.shutdown(v, 0)],
  ['shutdown how', (s, v) => s.shutdown(-1, v)],
  ['close fd', (s, v) => s.close(v)],
  ['dup fd', (s, v) => s.dup(v)],
  ['dup3 fd', (s, v) => s.dup3(v, -1)],
  ['dup3 target', (s, v) => s.dup3(-1, v)],
  ['fcntl fd', (s, v) => s.fcntl(v, 1)],
  ['fcntl command', (s, v) => s.fcntl(-1, v)],
  ['getsockopt fd', (s, v) => s.getsockopt(v, 1, 3)],
  ['getsockopt level', (s, v) => s.getsockopt(-1, v, 3)],
  ['getsockopt option', (s, v) => s.getsockopt(-1, 1, v)],
  ['setsockopt fd', (s, v) => s.setsockopt(v, 1, 7, 1)],
  ['setsockopt level', (s, v) => s.setsockopt(-1, v, 7, 1)],
  ['setsockopt option', (s, v) => s.setsockopt(-1, 1, v, 1)],
  ['bytesReadable fd', (s, v) => s.bytesReadable(v)],
  ['setWindowSize fd', (s, v) => s.setWindowSize(v, { rows: 1, columns: 1 })],
  ['poll fd', (s, v) => s.poll([{ fd: v, events: 1 }], 0)],
  ['epollCtl epfd', (s, v) => s.epollCtl(v, 1, 0, event)],
  ['epollCtl op', (s, v) => s.epollCtl(-1, v, 0, event)],
  ['epollCtl fd', (s, v) => s.epollCtl(-1, 1, v, event)],
  ['epollWait epfd', (s, v) => s.epollWait(v, 1, 0)],
  ['epollWait maxEvents', (s, v) => s.epollWait(-1, v, 0)],
  ['waitpid pid', (s, v) => s.waitpid(v, 1)],
  ['kill pid', (s, v) => s.kill(v, 0)],
  ['kill signal number', (s, v) => s.kill(2147483647, v)],
  ['tgkill pid', (s, v) => s.tgkill(v, 2147483647, 0)],
  ['tgkill tid', (s, v) => s.tgkill(2147483647, v, 0)],
  ['tgkill signal number', (s, v) => s.tgkill(2147483647, 2147483647, v)],
  ['waitid idType', (s, v) => s.waitid(v, 1, 0)],
  ['waitid id', (s, v) => s.waitid(-1, v, 0)],
  ['tgsigqueueinfo pid', (s, v) => s.tgsigqueueinfo(v, 2147483647, siginfo)],
  ['tgsigqueueinfo tid', (s, v) => s.tgsigqueueinfo(2147483647, v, siginfo)],
  ['ptraceSetSigInfo pid', (s, v) => s.ptraceSetSigInfo(v, siginfo)],
  ['ptracePeekSigInfo pid', (s, v) => s.ptracePeekSigInfo(v, 0, 1)],
  ['ptracePeekSigInfo offset', (s, v) => s.ptracePeekSigInfo(2147483647, v, 1)],
  ['ptracePeekSigInfo count', (s, v) => s.ptracePeekSigInfo(2147483647, 0, v)],
  ['ptraceGetRegisterSet tid', (s, v) => s.ptraceGetRegisterSet(v, 1)],
  ['ptraceSetRegisterSet tid', (s, v) => s.ptraceSetRegisterSet(v, 1, data)],
  ['ptracePeekUser tid', (s, v) => s.ptracePeekUser(v, 0)],
  ['ptracePeekUser offset', (s, v) => s.ptracePeekUser(2147483647, v)],
  ['ptracePokeUser tid', (s, v) => s.ptracePokeUser(v, 0, 0n)],
  ['ptracePokeUser offset', (s, v) => s.ptracePokeUser(2147483647, v, 0n)],
  ['ptraceGetSyscallInfo tid', (s, v) => s.ptraceGetSyscallInfo(v)],
  ['ptraceGetSigMask pid', (s, v) => s.ptraceGetSigMask(v)],
  ['ptraceCont pid', (s, v) => s.ptraceCont(v)],
  ['ptraceCont signal', (s, v) => s.ptraceCont(2147483647, v)],
  ['ptraceStep pid', (s, v) => s.ptraceStep(v)],
  ['ptraceSyscall pid', (s, v) => s.ptraceSyscall(v)],
  ['ptraceDetach pid', (s, v) => s.ptraceDetach(v)],
  ['ptraceDetach signal', (s, v) => s.ptraceDetach(2147483647, v)],
  ['ptraceSeize pid', (s, v) => s.ptraceSeize(v, 0)],
  ['ptraceAttach pid', (s, v) => s.ptraceAttach(v)],
  ['ptraceInterrupt pid', (s, v) => s.ptraceInterrupt(v)],
  ['ptraceListen pid', (s, v) => s.ptraceListen(v)],
  ['ptraceSetOptions pid', (s, v) => s.ptraceSetOptions(v, 0)],
  ['ptraceGetEventMessage pid', (s, v) => s.ptraceGetEventMessage(v)],
  ['ptraceGetSigInfo pid', (s, v) => s.ptraceGetSigInfo(v)],
  ['ptraceGetRegisters pid', (s, v) => s.ptraceGetRegisters(v)],
  ['ptraceSetRegisters pid', (s, v) => s.ptraceSetRegisters(v, {})],
  ['ptraceSetSigMask pid', (s, v) => s.ptraceSetSigMask(v, [])],
  ['ptraceSetSigMask signals', (s, v) => s.ptraceSetSigMask(2147483647, [v])],
  ['readMemory pid', (s, v) => s.readMemory(v, 0n, 8)],
  ['readMemory length', (s, v) => s.readMemory(2147483647, 0n, v)],
  ['writeMemory pid', (s, v) => s.writeMemory(v, 0n, data)],
  ['fork report', (s, v) => s.fork({ actions: [], report: v })],
]

const masks: readonly [string, Call][] = [
  ['pipe2 flags', (s, v) => s.pipe2(v)],
  ['socketpair type', (s, v) => s.socketpair(-1, v)],
  ['send flags', (s, v) => s.send(-1, data, v)],
  ['recv flags', (s, v) => s.recv(-1, data, v)],
  ['sendmsg flags', (s, v) => s.sendmsg(-1, { data }, v)],
  ['recvmsg flags', (s, v) => s.recvmsg(-1, { buffer: data }, v)],
  ['dup3 flags', (s, v) => s.dup3(-1, -1, v)],
  ['fcntl argument', (s, v) => s.fcntl(-1, 1, v)],
  ['setsockopt value', (s, v) => s.setsockopt(-1, 1, 7, v)],
  ['poll events', (s, v) => s.poll([{ fd: -1, events: v }], 0)],
  ['epollCreate1 flags', (s, v) => s.epollCreate1(v)],
  ['epollCtl events', (s, v) => s.epollCtl(-1, 1, 0, { events: v, data: 0 })],
  ['waitpid options', (s, v) => s.waitpid(2147483647, v)],
  ['waitid options', (s, v) => s.waitid(-1, 1, v)],
  ['ptracePeekSigInfo flags', (s, v) => s.ptracePeekSigInfo(2147483647, 0, 1, v)],
  ['ptraceGetRegisterSet type', (s, v) => s.ptraceGetRegisterSet(2147483647, v)],
  ['ptraceSetRegisterSet type', (s, v) => s.ptraceSetRegisterSet(2147483647, v, data)],
  ['ptraceSeize options', (s, v) => s.ptraceSeize(2147483647, v)],
  ['ptraceSetOptions options', (s, v) => s.ptraceSetOptions(2147483647, v)],
]

const byteArrays: readonly [string, Call][] = [
  ['read buffer', (s, v) => s.read(-1, v)],
  ['write data', (s, v) => s.write(-1, v)],
  ['send data', (s, v) => s.send(-1, v)],
  ['recv buffer', (s, v) => s.recv(-1, v)],
  ['sendmsg data', (s, v) => s.sendmsg(-1, { data: v })],
  ['recvmsg buffer', (s, v) => s.recvmsg(-1, { buffer: v })],
  ['tgsigqueueinfo siginfo', (s, v) => s.tgsigqueueinfo(2147483647, 2147483647, v)],
  ['ptraceSetSigInfo siginfo', (s, v) => s.ptraceSetSigInfo(2147483647, v)],
  ['ptraceSetRegisterSet bytes', (s, v) => s.ptraceSetRegisterSet(2147483647, 1, v)],
  ['writeMemory data', (s, v) => s.writeMemory(2147483647, 0n, v)],
]

const objects: readonly [string, Call][] = [
  ['sendmsg message', (s, v) => s.sendmsg(-1, v)],
  ['recvmsg into', (s, v) => s.recvmsg(-1, v)],
  ['openpty size', (s, v) => s.openpty(v)],
  ['setWindowSize size', (s, v) => s.setWindowSize(-1, v)],
  ['poll requests', (s, v) => s.poll(v, 0)],
  ['poll request', (s, v) => s.poll([v], 0)],
  ['ptraceSetSigMask signals', (s, v) => s.ptraceSetSigMask(2147483647, v)],
  ['ptraceSetRegisters registers', (s, v) => s.ptraceSetRegisters(2147483647, v)],
  ['fork program', (s, v) => s.fork(v)],
  ['fork actions', (s, v) => s.fork({ actions: v })],
  ['fork action', (s, v) => s.fork({ actions: [v] })],
  ['onChildChange listener', (s, v) => s.onChildChange(v)],
]

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }
const noNumbers = ['1', null, true, 1n, {}, [], Symbol('s'), () => 1] as const
const noIntegers = [Number.NaN, 0.5, -1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const

describeContract('arguments that cannot reach the kernel are refused', world => {
  const refusal = (call: Call, value: unknown) => thrown(() => call(world.system, value as never))

  describe('where a whole number is due', () => {
    it.for(ints)('%s', ([name, call]) => {
      const isSignal = name.includes('signal')
      for (const value of noNumbers) {
        if (isSignal && value === '1') continue
        expect(refusal(call, value), String(value)).toMatchObject(wrongType)
      }
      for (const value of [...noIntegers, 2 ** 31, -(2 ** 31) - 1, 2 ** 53]) {
        expect(refusal(call, value), String(value)).toMatchObject(outOfRange)
      }
    })
  })

  it('where what an object says of itself throws, or is no string', () => {
    const silent = {
      get constructor() {
        throw new Error('asked')
      },
    }
    for (const value of [silent, new Proxy({}, { get: silent.valueOf }), { constructor: { name: Symbol('name') } }]) {
      expect(refusal((s, v) => s.read(v, data), value)).toMatchObject(wrongType)
    }
  })

  describe('where a mask is due, which may be signed or unsigned', () => {
    it.for(masks)('%s', ([, call]) => {
      for (const value of noNumbers) expect(refusal(call, value), String(value)).toMatchObject(wrongType)
      for (const value of [...noIntegers, 2 ** 32, -(2 ** 31) - 1]) {
        expect(refusal(call, value), String(value)).toMatchObject(outOfRange)
      }
    })
  })

  describe('where bytes are due', () => {
    it.for(byteArrays)('%s', ([, call]) => {
      const impostor = Object.create(Uint8Array.prototype)
      const proxy = new Proxy(new Uint8Array(4), {})
      for (const value of [
        'text',
        5,
        null,
        undefined,
        [1, 2],
        new ArrayBuffer(4),
        new Uint16Array(2),
        {},
        impostor,
        proxy,
      ]) {
        expect(refusal(call, value)).toMatchObject(wrongType)
      }
    })
  })

  describe('where an object is due', () => {
    it.for(objects)('%s', ([, call]) => {
      for (const value of ['text', 5, null, true]) expect(refusal(call, value), String(value)).toMatchObject(wrongType)
    })
  })

  it('a list with a hole in it', () => {
    const hole = new Array(1) as never[]
    expect(thrown(() => world.system.poll(hole, 0))).toMatchObject(wrongType)
    expect(thrown(() => world.system.fork({ actions: hole }))).toMatchObject(wrongType)
    expect(thrown(() => world.system.ptraceSetSigMask(2147483647, hole))).toMatchObject(wrongType)
    const [a] = world.system.socketpair(1, 1)
    expect(thrown(() => world.system.sendmsg(a, { data, fds: hole }))).toMatchObject(wrongType)
  })

  it('a number of descriptors or bytes below zero', () => {
    expect(thrown(() => world.system.recvmsg(-1, { buffer: data, maxFds: -1 }))).toMatchObject(outOfRange)
    expect(thrown(() => world.system.readMemory(2147483647, 0n, -1))).toMatchObject(outOfRange)
    expect(thrown(() => world.system.ptracePeekSigInfo(2147483647, -1, 1))).toMatchObject(outOfRange)
    expect(thrown(() => world.system.ptracePeekSigInfo(2147483647, 0, -1))).toMatchObject(outOfRange)
  })

  it('a timeout that is no number of milliseconds', () => {
    for (const value of ['1', null, undefined, 1n]) {
      expect(thrown(() => world.system.poll([], value as never))).toMatchObject(wrongType)
      expect(thrown(() => world.system.epollWait(-1, 1, value as never))).toMatchObject(wrongType)
    }
    for (const value of [Number.NaN, 2 ** 31]) {
      expect(thrown(() => world.system.poll([], value))).toMatchObject(outOfRange)
      expect(thrown(() => world.system.epollWait(-1, 1, value))).toMatchObject(outOfRange)
    }
  })

  it('data of epoll that is no safe integer', () => {
    const add = (value: unknown) => thrown(() => world.system.epollCtl(-1, 1, 0, { events: 1, data: value as never }))
    for (const value of ['1', null, undefined, 1n, {}]) expect(add(value)).toMatchObject(wrongType)
    for (const value of [0.5, 2 ** 53, -(2 ** 53), Number.NaN]) expect(add(value)).toMatchObject(outOfRange)
  })

  it('an address that is no 64-bit number', () => {
    const addresses = (value: unknown) => [
      thrown(() => world.system.readMemory(2147483647, value as never, 1)),
      thrown(() => world.system.writeMemory(2147483647, value as never, data)),
    ]
    for (const value of [1, '1', null, undefined])
      for (const each of addresses(value)) expect(each).toMatchObject(wrongType)
    for (const value of [-1n, 2n ** 64n]) for (const each of addresses(value)) expect(each).toMatchObject(outOfRange)
  })

  it('a word that is no unsigned 64-bit number', () => {
    const poke = (value: unknown) => thrown(() => world.system.ptracePokeUser(2147483647, 0, value as never))
    for (const value of [1, '1', null, undefined]) expect(poke(value)).toMatchObject(wrongType)
    for (const value of [-1n, 2n ** 64n]) expect(poke(value)).toMatchObject(outOfRange)
  })

  it('a buffer for memory that is no Uint8Array', () => {
    const read = (value: unknown) => thrown(() => world.system.readMemory(2147483647, 0n, value as never))
    for (const value of ['8', null, undefined, 1n, new ArrayBuffer(8), new Uint16Array(4), [1]]) {
      expect(read(value)).toMatchObject(wrongType)
    }
  })

  it('a siginfo of another size than its 128 bytes', () => {
    for (const size of [0, 12, 127, 129]) {
      const bytes = new Uint8Array(size)
      const wrongSize = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
      expect(thrown(() => world.system.tgsigqueueinfo(2147483647, 2147483647, bytes))).toMatchObject(wrongSize)
      expect(thrown(() => world.system.ptraceSetSigInfo(2147483647, bytes))).toMatchObject(wrongSize)
    }
  })

  it('a path with a null byte, or that is no string', () => {
    const nul = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
    expect(thrown(() => world.system.writeFile('/tmp\0/x', ''))).toMatchObject(nul)
    for (const value of [5, null, undefined, data]) {
      expect(thrown(() => world.system.writeFile(value as never, ''))).toMatchObject(wrongType)
      expect(thrown(() => world.system.writeFile('/no/such/file', value as never))).toMatchObject(wrongType)
    }
  })

  it('a control file that is not there is the ENOENT of the kernel', () => {
    expect(thrown(() => world.system.writeFile('/no/such/file', 'x'))).toMatchObject({
      name: 'SystemError',
      code: 'ENOENT',
      errno: -2,
      path: '/no/such/file',
    })
  })

  it('promises reject with the same', async () => {
    const { system } = world
    for (const value of ['1', null, undefined, {}]) {
      expect(await rejection(system.ready(value as never, 1))).toMatchObject(wrongType)
      expect(await rejection(system.ready(0, value as never))).toMatchObject(wrongType)
      expect(await rejection(system.sleep(value as never))).toMatchObject(wrongType)
    }
    expect(await rejection(system.ready(0.5, 1))).toMatchObject(outOfRange)
    expect(await rejection(system.ready(0, 2 ** 32))).toMatchObject(outOfRange)
    for (const signal of ['x', 5, null, {}, { aborted: false }]) {
      expect(await rejection(system.ready(-1, 1, { signal: signal as never }))).toMatchObject(wrongType)
      expect(await rejection(system.sleep(0, { signal: signal as never }))).toMatchObject(wrongType)
    }
    expect(await rejection(system.ready(-1, 1, 5 as never))).toMatchObject(wrongType)
  })
})
