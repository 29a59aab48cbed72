import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { type Signal, signalNumber } from '../../lib/system/signals.ts'
import { failure, heldChild } from './helpers.ts'
import { describeContract } from './suite.ts'

const { PTRACE_PEEKSIGINFO_SHARED, SI_KERNEL, SI_QUEUE, SI_TKILL, SI_USER } = constants

/** A siginfo_t as sigqueue(3) makes it. */
function queued(signal: Signal, value: bigint, code: number = SI_QUEUE): Uint8Array {
  const bytes = new Uint8Array(128)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, typeof signal === 'number' ? signal : signalNumber(signal)!, true)
  view.setInt32(8, code, true)
  view.setInt32(16, 4321, true)
  view.setUint32(20, 77, true)
  view.setBigInt64(24, value, true)
  return bytes
}

describeContract(
  'signals with a siginfo of their own',
  world => {
    /** A traced child at a signal stop. */
    const stopped = () => {
      const child = heldChild(world.system, { before: [{ op: 'traceme' }] })
      world.system.kill(child.pid, 'SIGUSR1')
      expect(world.system.waitpid(child.pid)?.raw).toBe(0x0a7f)
      return child
    }
    const end = (child: ReturnType<typeof stopped>) => {
      world.system.kill(child.pid, 'SIGKILL')
      expect(world.system.waitpid(child.pid)?.raw).toBe(9)
      child.abandon()
    }

    it('arrive as they were queued, to one thread', () => {
      const child = stopped()
      const { pid } = child
      world.system.tgsigqueueinfo(pid, pid, queued('SIGUSR2', -2n))
      world.system.ptraceCont(pid)
      expect(world.system.waitpid(pid)?.raw).toBe(0x0c7f)
      const info = world.system.ptraceGetSigInfo(pid)
      expect(info).toMatchObject({
        signal: 'SIGUSR2',
        code: SI_QUEUE,
        errno: 0,
        pid: 4321,
        uid: 77,
        value: 2n ** 64n - 2n,
      })
      expect([...info.bytes]).toEqual([...queued('SIGUSR2', -2n)])
      end(child)
    })

    it('are seen while they are pending, in the order they were sent', () => {
      const child = stopped()
      const { pid } = child
      const { system } = world
      expect(system.ptracePeekSigInfo(pid, 0, 10)).toEqual([])
      for (const value of [3n, 1n, 2n]) system.tgsigqueueinfo(pid, pid, queued('SIGRTMIN+2', value))
      system.kill(pid, 'SIGTERM')
      const values = (offset: number, count: number) =>
        system.ptracePeekSigInfo(pid, offset, count).map(({ value }) => value)
      expect(values(0, 10)).toEqual([3n, 1n, 2n])
      expect(values(0, 2)).toEqual([3n, 1n])
      expect(values(1, 1)).toEqual([1n])
      expect(values(3, 1)).toEqual([])
      expect(values(0, 0)).toEqual([])
      expect(system.ptracePeekSigInfo(pid, 0, 10, PTRACE_PEEKSIGINFO_SHARED)).toMatchObject([
        { signal: 'SIGTERM', code: SI_USER },
      ])
      expect(failure(() => system.ptracePeekSigInfo(pid, 0, 1, 2))).toBe('EINVAL')
      // Peeking has taken none.
      system.ptraceCont(pid)
      expect(system.waitpid(pid)?.status).toEqual({ kind: 'stopped', signal: 'SIGRTMIN+2' })
      expect(system.ptraceGetSigInfo(pid)).toMatchObject({ value: 3n })
      end(child)
    })

    it('more than one request of the kernel gives are seen, too', () => {
      const child = stopped()
      for (let i = 0; i < 130; i++) world.system.tgsigqueueinfo(child.pid, child.pid, queued('SIGRTMIN+1', BigInt(i)))
      const values = world.system.ptracePeekSigInfo(child.pid, 0, 1000).map(({ value }) => Number(value))
      expect(values).toEqual(Array.from({ length: 130 }, (_, i) => i))
      end(child)
    })

    it('with a code of the kernel or of tgkill are refused for others', () => {
      const child = stopped()
      const { pid } = child
      for (const code of [SI_USER, SI_KERNEL, 1, SI_TKILL]) {
        expect(failure(() => world.system.tgsigqueueinfo(pid, pid, queued('SIGUSR2', 1n, code)))).toBe('EPERM')
      }
      end(child)
    })

    it('are refused for threads and signals that there are not', () => {
      const child = stopped()
      const { pid } = child
      const send = (tgid: number, tid: number, info: Uint8Array) =>
        failure(() => world.system.tgsigqueueinfo(tgid, tid, info))
      expect(send(2147483647, 2147483647, queued('SIGUSR2', 1n))).toBe('ESRCH')
      expect(send(2147483647, pid, queued('SIGUSR2', 1n))).toBe('ESRCH')
      expect(send(0, pid, queued('SIGUSR2', 1n))).toBe('EINVAL')
      expect(send(pid, -1, queued('SIGUSR2', 1n))).toBe('EINVAL')
      expect(send(pid, pid, queued(65, 1n))).toBe('EINVAL')
      world.system.tgsigqueueinfo(pid, pid, queued(0, 1n))
      end(child)
    })

    it('of members that the kernel does not know keep 48 bytes, and are E2BIG beyond', () => {
      const child = stopped()
      const { pid } = child
      const unknown = queued('SIGUSR2', 1n, -100)
      world.system.tgsigqueueinfo(pid, pid, unknown)
      unknown[48] = 1
      expect(failure(() => world.system.tgsigqueueinfo(pid, pid, unknown))).toBe('E2BIG')
      const known = queued('SIGRTMIN', 1n)
      known[100] = 1
      world.system.tgsigqueueinfo(pid, pid, known)
      const [, second] = world.system.ptracePeekSigInfo(pid, 0, 2)
      expect(second?.bytes[100]).toBe(0)
      end(child)
    })

    it('replaced at the stop before their delivery are seen as replaced', () => {
      const child = stopped()
      const { pid } = child
      const { system } = world
      system.ptraceSetSigInfo(pid, queued('SIGUSR1', 99n))
      expect(system.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGUSR1', code: SI_QUEUE, value: 99n })
      // A blocked signal goes back to the queue, with the siginfo that it has now.
      system.ptraceSetSigMask(pid, ['SIGUSR1'])
      system.ptraceCont(pid, 'SIGUSR1')
      child.release()
      expect(system.waitpid(pid)?.raw).toBe(0)
    })

    it('that a tracer blocks at their stop go back to the queue as they were', () => {
      const child = stopped()
      const { pid } = child
      const { system } = world
      system.tgsigqueueinfo(pid, pid, queued('SIGUSR2', 4242n))
      system.ptraceCont(pid)
      expect(system.waitpid(pid)?.raw).toBe(0x0c7f)
      system.ptraceSetSigMask(pid, ['SIGUSR2'])
      system.ptraceCont(pid, 'SIGUSR2')
      system.kill(pid, 'SIGTERM')
      expect(system.waitpid(pid)?.raw).toBe(0x0f7f)
      expect(system.ptracePeekSigInfo(pid, 0, 10)).toMatchObject([{ signal: 'SIGUSR2', code: SI_QUEUE, value: 4242n }])
      end(child)
    })

    it('have no siginfo at a group stop', () => {
      const child = stopped()
      const { pid } = child
      const { system } = world
      system.kill(pid, 'SIGSTOP')
      system.ptraceCont(pid)
      expect(system.waitpid(pid)?.raw).toBe(0x137f)
      system.ptraceCont(pid, 'SIGSTOP')
      expect(system.waitpid(pid)?.raw).toBe(0x137f)
      expect(failure(() => system.ptraceGetSigInfo(pid))).toBe('EINVAL')
      expect(failure(() => system.ptraceSetSigInfo(pid, queued('SIGSTOP', 1n)))).toBe('EINVAL')
      expect(system.ptracePeekSigInfo(pid, 0, 1)).toEqual([])
      end(child)
    })

    it('of a tracee that runs, or is none, are ESRCH', () => {
      const child = heldChild(world.system)
      for (const pid of [child.pid, 2147483647]) {
        expect(failure(() => world.system.ptraceSetSigInfo(pid, queued('SIGUSR1', 1n)))).toBe('ESRCH')
        expect(failure(() => world.system.ptracePeekSigInfo(pid, 0, 1))).toBe('ESRCH')
      }
      child.abandon()
      world.system.waitpid(child.pid)
    })
  },
  { tracing: true },
)
