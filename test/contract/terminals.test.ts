import { readFileSync, readlinkSync } from 'node:fs'
import { beforeEach, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { openDescriptors } from '../support/process-table.ts'
import { tidyNative } from '../support/tidy.ts'
import { bytes, failure, readText, thrown } from './helpers.ts'
import { describeContract } from './suite.ts'

const { F_GETFD, F_GETFL, F_SETFL, FD_CLOEXEC, O_CLOEXEC, O_NONBLOCK, POLLHUP, POLLIN } = constants

describeContract('the size of a window', world => {
  it('is refused by what is no terminal', () => {
    const [r, w] = world.system.pipe2()
    const size = { rows: 24, columns: 80 }
    expect(thrown(() => world.system.setWindowSize(r, size))).toMatchObject({ code: 'ENOTTY', syscall: 'ioctl' })
    expect(failure(() => world.system.setWindowSize(w, size))).toBe('ENOTTY')
    for (const fd of [r, w]) world.system.close(fd)
    expect(failure(() => world.system.setWindowSize(r, size))).toBe('EBADF')
  })

  it('is two numbers of 16 bits', () => {
    for (const [wrong, code] of [
      [{ rows: 65536, columns: 1 }, 'ERR_OUT_OF_RANGE'],
      [{ rows: 1, columns: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ rows: 1.5, columns: 1 }, 'ERR_OUT_OF_RANGE'],
      [{ rows: '1', columns: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ rows: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ rows: 1, columns: 1, cols: 1 }, 'ERR_INVALID_ARG_VALUE'],
    ] as const) {
      expect(
        thrown(() => world.system.openpty(wrong as never)),
        JSON.stringify(wrong),
      ).toMatchObject({ code })
      expect(
        thrown(() => world.system.setWindowSize(-1, wrong as never)),
        JSON.stringify(wrong),
      ).toMatchObject({ code })
    }
  })

  it('and a terminal of it: there, or said to be missing as without devpts', () => {
    if (world.system.kind === 'simulated') {
      const error = thrown(() => world.system.openpty())
      expect(error).toMatchObject({ code: 'ENOENT', syscall: 'openpty', path: '/dev/ptmx' })
      expect(error.message).toContain('the simulated system has no terminals')
      return
    }
    for (const fd of world.system.openpty()) world.system.close(fd)
  })
})

describeNative('a pseudo-terminal', () => {
  const system = tidyNative()
  let master: number
  let slave: number
  beforeEach(() => {
    ;[master, slave] = system.openpty({ rows: 5, columns: 7 })
  })

  it('has two descriptors, close-on-exec and above the standard ones', () => {
    for (const fd of [master, slave]) {
      expect(fd).toBeGreaterThan(2)
      expect(system.fcntl(fd, F_GETFD)).toBe(FD_CLOEXEC)
    }
    expect(readlinkSync(`/proc/self/fd/${master}`)).toMatch(/ptmx$/)
    expect(readlinkSync(`/proc/self/fd/${slave}`)).toMatch(/\/\d+$/)
  })

  it('carries what is typed, with its echo, and what is printed', () => {
    system.write(master, bytes('typed\n'))
    expect(readText(system, slave)).toBe('typed\n')
    expect(readText(system, master)).toBe('typed\r\n')
    system.write(slave, bytes('printed\n'))
    expect(readText(system, master)).toBe('printed\r\n')
  })

  it('gives all that was printed, then EIO, once its slave is closed', () => {
    system.write(slave, bytes(3000, 'x'))
    system.close(slave)
    let text = ''
    // A terminal hands on in pieces, as they come through its buffers.
    const readAll = () => {
      for (;;) text += readText(system, master)
    }
    expect(failure(readAll)).toBe('EIO')
    expect(text).toBe('x'.repeat(3000))
    expect(system.poll([{ fd: master, events: POLLIN }], 0)[0]! & POLLHUP).toBe(POLLHUP)
  })

  it('takes no more than it has room for', () => {
    system.fcntl(master, F_SETFL, system.fcntl(master, F_GETFL) | O_NONBLOCK)
    let written = 0
    const fill = () => {
      for (;;) written += system.write(master, bytes(4096))
    }
    expect(failure(fill)).toBe('EAGAIN')
    expect(written).toBeGreaterThan(4096)
  })

  it.skipIf(whyNoCompiler !== undefined)('has the size it was opened with, and then the one it is given', () => {
    const program = compileSource(
      'window-size',
      `#include <stdio.h>
       #include <sys/ioctl.h>
       int main(void) {
         struct winsize size;
         if (ioctl(0, TIOCGWINSZ, &size) < 0) return 1;
         printf("%d %d\\n", size.ws_row, size.ws_col);
       }`,
    )
    const sizeOf = (terminal: number) => {
      const [r, w] = system.pipe2(O_CLOEXEC)
      const pid = system.fork({
        actions: [
          { op: 'dup2', fd: terminal, target: 0 },
          { op: 'dup2', fd: w, target: 1 },
          { op: 'execve', files: [program], argv: ['size'], env: [] },
        ],
      })
      expect(system.waitpid(pid)?.raw).toBe(0)
      return readText(system, r)
    }
    expect(sizeOf(slave)).toBe('5 7\n')
    system.setWindowSize(master, { rows: 65535, columns: 1 })
    expect(sizeOf(slave)).toBe('65535 1\n')
    system.setWindowSize(slave, { rows: 30, columns: 100 })
    expect(sizeOf(slave)).toBe('30 100\n')
    const [, unsized] = system.openpty()
    expect(sizeOf(unsized)).toBe('0 0\n')
  })

  it('fails with EMFILE where only one descriptor is left, and leaves none', () => {
    const before = openDescriptors().size
    const used: number[] = []
    const useUp = () => {
      for (;;) used.push(system.dup(0))
    }
    // A lower limit would stay for the whole process.
    const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1])
    if (limit > 100_000) return
    expect(failure(useUp)).toBe('EMFILE')
    const error = thrown(() => system.openpty())
    expect(error).toMatchObject({ code: 'EMFILE', syscall: 'openpty' })
    system.close(used.pop()!)
    expect(failure(() => system.openpty())).toBe('EMFILE')
    for (const fd of used) system.close(fd)
    expect(openDescriptors().size).toBe(before)
  })
})
