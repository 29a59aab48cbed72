import { getSystemErrorMap } from 'node:util'
import { describe, expect, it } from 'vitest'
import { describeErrno, errnoOf } from '../../lib/system/errno.ts'
import {
  ChannelClosedError,
  DeadlockError,
  isErrno,
  NativeUnavailableError,
  SystemError,
  TimedOutError,
} from '../../lib/system/errors.ts'

describe('a SystemError', () => {
  it('reads as Node writes it', () => {
    const error = new SystemError({ errno: 'EAGAIN', syscall: 'read' })
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('SystemError')
    expect(error.message).toBe('EAGAIN: resource temporarily unavailable, read')
    expect(error.code).toBe('EAGAIN')
    expect(error.errno).toBe(-11)
    expect(error.syscall).toBe('read')
  })

  it('takes an errno by its name and by its number of either sign', () => {
    for (const errno of ['ENOENT', 2, -2]) {
      expect(new SystemError({ errno, syscall: 'open' })).toMatchObject({ code: 'ENOENT', errno: -2 })
    }
  })

  it('names path, process and step where there are any', () => {
    const error = new SystemError({ errno: 'ENOENT', syscall: 'chdir', path: '/no/where', pid: 7, step: 'cwd' })
    expect(error).toMatchObject({ path: '/no/where', pid: 7, step: 'cwd' })
    expect(error.message).toMatch(/^ENOENT: no such file or directory, chdir '\/no\/where'/)
  })

  it('has no field that there is nothing to say of', () => {
    const error = new SystemError({ errno: 'EPIPE', syscall: 'write', path: undefined, pid: undefined })
    for (const field of ['path', 'pid', 'step']) expect(field in error).toBe(false)
  })

  it('of an unknown errno is named by its number', () => {
    expect(new SystemError({ errno: 4095, syscall: 'read' })).toMatchObject({ code: 'E4095', errno: -4095 })
  })

  it('is distinguished by its code', () => {
    const error = new SystemError({ errno: 'ESRCH', syscall: 'kill' })
    expect(isErrno(error, 'EPERM', 'ESRCH')).toBe(true)
    expect(isErrno(error, 'EPERM')).toBe(false)
    expect(isErrno(Object.assign(new Error('not ours'), { code: 'ESRCH' }), 'ESRCH')).toBe(false)
    expect(isErrno(undefined, 'ESRCH')).toBe(false)
  })
})

describe('the table of errnos', () => {
  it('goes from name to number and back', () => {
    for (let errno = 1; errno <= 133; errno++) {
      const { code } = describeErrno(errno)
      // 41 and 58 are other names of 11 and 35.
      if (errno !== 41 && errno !== 58) expect(errnoOf(code), code).toBe(errno)
    }
    expect(errnoOf('EWOULDBLOCK')).toBe(11)
    expect(errnoOf('ENOTSUP')).toBe(95)
    for (const name of ['ENOTHING', '', 'toString', 'constructor', '__proto__']) expect(errnoOf(name)).toBeUndefined()
  })

  it.runIf(process.platform === 'linux')('has the names that Node has', () => {
    for (const [number, [name]] of getSystemErrorMap()) {
      // Excluded: libuv's own errors, which are lower. ENOTSUP has the same number as EOPNOTSUPP.
      if (number > -1000 && name !== 'ENOTSUP') expect(describeErrno(-number).code).toBe(name)
    }
  })
})

describe('the other errors', () => {
  it('have codes that stay', () => {
    expect(new ChannelClosedError()).toMatchObject({ name: 'ChannelClosedError', code: 'ERR_CHANNEL_CLOSED' })
    expect(new TimedOutError('the launch', 5)).toMatchObject({ name: 'TimedOutError', code: 'ERR_TIMED_OUT' })
    expect(new DeadlockError('no task can continue')).toMatchObject({ name: 'DeadlockError', code: 'ERR_DEADLOCK' })
  })

  it('the error for an unavailable native system has every cause', () => {
    const causes = [new Error('no build'), new Error('no prebuild\nfor this machine')]
    const error = new NativeUnavailableError(causes)
    expect(error).toMatchObject({ code: 'ERR_NATIVE_UNAVAILABLE', causes, cause: causes[0] })
    for (const { message } of causes) expect(error.message).toContain(message.replace('\n', ' '))
  })
})
