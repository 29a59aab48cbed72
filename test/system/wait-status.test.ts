import { describe, expect, it } from 'vitest'
import { decodeWaitStatus, isExit, rawWaitStatus, type WaitStatus } from '../../lib/system/wait-status.ts'

// The macros of <sys/wait.h>, written out.
const signalOf = (raw: number) => raw & 0x7f
const isExited = (raw: number) => signalOf(raw) === 0
const isStopped = (raw: number) => (raw & 0xff) === 0x7f

const known: readonly [raw: number, status: WaitStatus][] = [
  [0x0000, { kind: 'exited', code: 0, signal: null }],
  [0x0700, { kind: 'exited', code: 7, signal: null }],
  [0xff00, { kind: 'exited', code: 255, signal: null }],
  [0x0009, { kind: 'signaled', code: null, signal: 'SIGKILL', coreDumped: false }],
  [0x000f, { kind: 'signaled', code: null, signal: 'SIGTERM', coreDumped: false }],
  [0x008b, { kind: 'signaled', code: null, signal: 'SIGSEGV', coreDumped: true }],
  [0x0086, { kind: 'signaled', code: null, signal: 'SIGABRT', coreDumped: true }],
  [0x0022, { kind: 'signaled', code: null, signal: 'SIGRTMIN', coreDumped: false }],
  [0x0023, { kind: 'signaled', code: null, signal: 'SIGRTMIN+1', coreDumped: false }],
  [0x0040, { kind: 'signaled', code: null, signal: 'SIGRTMAX', coreDumped: false }],
  [0x0020, { kind: 'signaled', code: null, signal: 'SIG32', coreDumped: false }],
  [0x137f, { kind: 'stopped', signal: 'SIGSTOP' }],
  [0x147f, { kind: 'stopped', signal: 'SIGTSTP' }],
  [0x057f, { kind: 'stopped', signal: 'SIGTRAP' }],
  [0x227f, { kind: 'stopped', signal: 'SIGRTMIN' }],
  [0x407f, { kind: 'stopped', signal: 'SIGRTMAX' }],
  [0x857f, { kind: 'stopped', signal: 'SIGTRAP', event: 'syscall' }],
  [0x01057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'fork' }],
  [0x02057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'vfork' }],
  [0x03057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'clone' }],
  [0x04057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'exec' }],
  [0x05057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'vfork-done' }],
  [0x06057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'exit' }],
  [0x07057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'seccomp' }],
  [0x80057f, { kind: 'stopped', signal: 'SIGTRAP', event: 'stop' }],
  [0x80137f, { kind: 'stopped', signal: 'SIGSTOP', event: 'stop' }],
  [0x80147f, { kind: 'stopped', signal: 'SIGTSTP', event: 'stop' }],
  [0x80157f, { kind: 'stopped', signal: 'SIGTTIN', event: 'stop' }],
  [0x80167f, { kind: 'stopped', signal: 'SIGTTOU', event: 'stop' }],
  [0xffff, { kind: 'continued' }],
]

describe('a raw wait status', () => {
  it.for(known)('%i is decoded', ([raw, status]) => {
    expect(decodeWaitStatus(raw)).toEqual(status)
    expect(Object.keys(decodeWaitStatus(raw)).sort()).toEqual(Object.keys(status).sort())
  })

  it('of 16 bits always has a meaning, the one of the macros of C', () => {
    for (let raw = 0; raw <= 0xffff; raw++) {
      const status = decodeWaitStatus(raw)
      if (raw === 0xffff) {
        expect(status.kind).toBe('continued')
      } else if (isExited(raw)) {
        if (status.kind !== 'exited' || status.code !== raw >> 8 || status.signal !== null) throw new Error(`at ${raw}`)
      } else if (isStopped(raw)) {
        if (status.kind !== 'stopped' || !status.signal.startsWith('SIG')) throw new Error(`at ${raw}`)
      } else if (
        status.kind !== 'signaled' ||
        status.coreDumped !== ((raw & 0x80) !== 0) ||
        status.code !== null ||
        !status.signal.startsWith('SIG')
      ) {
        throw new Error(`at ${raw}`)
      }
    }
  })

  it('with the bits of an event, known or not, always has a meaning', () => {
    const names = new Set<string | undefined>()
    for (let event = 0; event <= 0xff; event++) {
      for (let signal = 1; signal <= 64; signal++) {
        const status = decodeWaitStatus((event << 16) | (signal << 8) | 0x7f)
        if (status.kind !== 'stopped') throw new Error(`event ${event}, signal ${signal}`)
        names.add(status.event)
      }
    }
    expect(names).toEqual(
      new Set([undefined, 'fork', 'vfork', 'clone', 'exec', 'vfork-done', 'exit', 'seccomp', 'stop']),
    )
  })

  it('that no kernel gives has a meaning too', () => {
    for (const raw of [-1, -129, 2 ** 31, 2 ** 32, 2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(['exited', 'signaled', 'stopped', 'continued']).toContain(decodeWaitStatus(raw).kind)
    }
  })

  it('is an end when it is an exit or a death by signal', () => {
    expect(known.filter(([, status]) => isExit(status)).every(([raw]) => !isStopped(raw) && raw !== 0xffff)).toBe(true)
    expect([0x0700, 0x0009, 0x137f, 0x04057f, 0xffff].map(raw => isExit(decodeWaitStatus(raw)))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it('of any number is taken as C takes it for an int', () => {
    for (const raw of [-1, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53]) {
      expect(decodeWaitStatus(raw), String(raw)).toEqual(decodeWaitStatus(raw | 0))
    }
    expect(decodeWaitStatus(0x700 + 2 ** 32)).toEqual({ kind: 'exited', code: 7, signal: null })
  })

  it.for([10n, '0', null, undefined, {}, Symbol('raw')])('that is no number is refused: %s', raw => {
    expect(() => decodeWaitStatus(raw as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
  })

  it.for([10, 'exited', null, undefined])('that is no object is refused where its end is asked for: %s', status => {
    expect(() => isExit(status as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
  })
})

describe('the si_code and si_status of waitid', () => {
  it.for([
    [1, 7, 0x0700],
    [1, 255, 0xff00],
    [2, 9, 0x0009],
    [3, 11, 0x008b],
    [4, 0x13, 0x137f],
    [4, 0x85, 0x857f],
    [4, 0x0405, 0x04057f],
    [4, 0x8013, 0x80137f],
    [5, 0x13, 0x137f],
    [6, 18, 0xffff],
  ] as const)('%s and %s are the raw status of waitpid', ([code, status, raw]) => {
    expect(rawWaitStatus(code, status)).toBe(raw)
  })
})
