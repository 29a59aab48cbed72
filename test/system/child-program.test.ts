import { describe, expect, it } from 'vitest'
import { checkChildProgram } from '../../lib/system/check-child-program.ts'
import { childReportBytes, decodeChildReport, encodeChildReport } from '../../lib/system/child-program.ts'

const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
const wrongValue = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
const outOfRange = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }

function refusal(program: unknown): Error | undefined {
  try {
    checkChildProgram(program)
    return undefined
  } catch (error) {
    return error as Error
  }
}

const ofAction = (action: unknown) => refusal({ actions: [{ op: 'setsid' }, action] })
const exec = (fields: object) => ofAction({ op: 'execve', files: ['/it'], argv: [], env: [], ...fields })

describe('a child program', () => {
  it('of good actions is let through', () => {
    const actions = [
      { op: 'traceme' },
      { op: 'write', fd: 1, data: new Uint8Array(3) },
      { op: 'read', fd: 0, bytes: 1 },
      { op: 'open', path: '/dev/null', flags: -1, target: 5 },
      { op: 'open', path: '/dev/null', flags: 0xffffffff, mode: 0o600, target: 5 },
      { op: 'dup2', fd: 3, target: 4 },
      { op: 'close', fd: -1 },
      { op: 'closeAllExcept', fds: [] },
      { op: 'chdir', path: '' },
      { op: 'setsid' },
      { op: 'parentDeathSignal', signal: 0 },
      { op: 'raise', signal: 'SIGRTMAX-2' },
      { op: 'exit', code: -5 },
      { op: 'execve', files: ['it'], argv: [], env: ['no equals sign'] },
    ]
    for (const memory of [undefined, 'shared', 'copied'])
      expect(refusal({ actions, memory, report: 3 })).toBeUndefined()
    expect(refusal({ actions: [] })).toBeUndefined()
  })

  it('that is none is refused', () => {
    for (const program of [undefined, null, 5, 'exit', () => {}]) expect(refusal(program)).toMatchObject(wrongType)
    for (const actions of [undefined, null, {}, 'exit', { length: 0 }]) {
      expect(refusal({ actions })).toMatchObject(wrongType)
    }
    expect(refusal({ actions: [], memory: 'lent' })).toMatchObject(wrongValue)
    expect(refusal({ actions: [], report: '3' })).toMatchObject(wrongType)
    expect(refusal({ actions: [], report: 2 ** 31 })).toMatchObject(outOfRange)
  })

  it('with an action that there is not is refused by its name', () => {
    for (const op of ['fly', '', undefined, 5, '__proto__', 'constructor']) {
      expect(ofAction({ op })).toMatchObject(wrongValue)
    }
    expect(ofAction({ op: 'fly' })?.message).toContain('fly')
    expect(ofAction(undefined)).toMatchObject(wrongType)
    expect(ofAction('exit')).toMatchObject(wrongType)
  })

  it.for([
    { op: 'write', fd: 'x', data: new Uint8Array() },
    { op: 'write', fd: 1, data: 'text' },
    { op: 'write', fd: 1 },
    { op: 'read', fd: 0 },
    { op: 'open', path: 5, flags: 0, target: 3 },
    { op: 'open', path: '/', flags: '0', target: 3 },
    { op: 'open', path: '/', flags: 0 },
    { op: 'open', path: '/', flags: 0, mode: null, target: 3 },
    { op: 'dup2', fd: 1 },
    { op: 'close' },
    { op: 'closeAllExcept' },
    { op: 'closeAllExcept', fds: ['1'] },
    { op: 'chdir' },
    { op: 'parentDeathSignal' },
    { op: 'raise', signal: null },
    { op: 'exit', code: '1' },
    { op: 'execve', argv: [], env: [] },
    { op: 'execve', files: ['x'], env: [] },
    { op: 'execve', files: ['x'], argv: [], env: {} },
    { op: 'execve', files: [5], argv: [], env: [] },
    { op: 'execve', files: ['x'], argv: ['a', null], env: [] },
    { op: 'execve', files: ['x'], argv: new Array(1), env: [] },
  ])('with a wrong type is refused: %o', action => {
    expect(ofAction(action)).toMatchObject(wrongType)
  })

  it('with a null byte is refused', () => {
    expect(ofAction({ op: 'chdir', path: '/tmp\0' })).toMatchObject(wrongValue)
    expect(ofAction({ op: 'open', path: '\0', flags: 0, target: 3 })).toMatchObject(wrongValue)
    expect(exec({ files: ['/it', '/i\0t'] })).toMatchObject(wrongValue)
    expect(exec({ argv: ['a\0b'] })).toMatchObject(wrongValue)
    expect(exec({ env: ['A=\0'] })).toMatchObject(wrongValue)
  })

  it('with a number that does not fit is refused', () => {
    expect(ofAction({ op: 'close', fd: 2 ** 31 })).toMatchObject(outOfRange)
    expect(ofAction({ op: 'exit', code: 0.5 })).toMatchObject(outOfRange)
    expect(ofAction({ op: 'read', fd: 0, bytes: Number.NaN })).toMatchObject(outOfRange)
    expect(ofAction({ op: 'read', fd: 0, bytes: -1 })).toMatchObject(outOfRange)
    // (uid_t)-1: setresuid(2) would change nothing.
    expect(ofAction({ op: 'uid', uid: 2 ** 32 - 1 })).toMatchObject(outOfRange)
    expect(ofAction({ op: 'gid', gid: -1 })).toMatchObject(outOfRange)
    expect(ofAction({ op: 'groups', groups: [0, 2 ** 32 - 1] })).toMatchObject(outOfRange)
    expect(ofAction({ op: 'raise', signal: 2 ** 40 })).toMatchObject(outOfRange)
    expect(ofAction({ op: 'closeAllExcept', fds: [1, 2 ** 31] })).toMatchObject(outOfRange)
  })

  it('that executes nothing is refused', () => {
    expect(exec({ files: [] })).toMatchObject(wrongValue)
  })

  it('is refused with the place of the fault', () => {
    expect(exec({ argv: ['a', 'b', 5] })?.message).toContain('program.actions[1].argv[2]')
  })
})

describe('a failure record', () => {
  it('is eight bytes and reads as it was written', () => {
    for (const report of [
      { action: 0, errno: 2 },
      { action: 70_000, errno: 133 },
    ]) {
      const record = encodeChildReport(report)
      expect(record.length).toBe(childReportBytes)
      expect(decodeChildReport(record)).toEqual(report)
      expect(decodeChildReport(Buffer.concat([new Uint8Array(3), record, record]).subarray(3))).toEqual(report)
    }
  })

  it.for([undefined, null, 'records!', [0, 0, 0, 0, 2, 0, 0, 0], new DataView(new ArrayBuffer(8))])(
    'that is no bytes is refused: %o',
    record => {
      const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })
      expect(() => decodeChildReport(record as never)).toThrow(refused)
    },
  )

  it('cut short is none', () => {
    for (let length = 0; length < childReportBytes; length++) {
      expect(decodeChildReport(new Uint8Array(length))).toBeUndefined()
    }
  })
})
