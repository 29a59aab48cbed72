import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { decodeSiginfo, encodeSiginfo, hasKnownLayout, siginfoBytes } from '../../lib/system/siginfo.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'

const whySkipped = process.platform === 'linux' ? whyNoCompiler : `the headers of ${process.platform} are not Linux's`

/** siginfo_t as C fills it, by the statements that fill it. */
function inC(fill: string): Uint8Array {
  const source = [
    '#define _GNU_SOURCE',
    '#include <signal.h>',
    '#include <stdio.h>',
    '#include <string.h>',
    'int main(void) {',
    '  siginfo_t info;',
    '  memset(&info, 0, sizeof(info));',
    `  ${fill}`,
    '  return fwrite(&info, sizeof(info), 1, stdout) == 1 ? 0 : 1;',
    '}',
  ].join('\n')
  return new Uint8Array(execFileSync(compileSource('siginfo', source)))
}

describe.skipIf(whySkipped !== undefined)(
  `siginfo_t${whySkipped === undefined ? '' : ` (skipped: ${whySkipped})`}`,
  () => {
    it.for([
      [
        'of kill',
        'info.si_signo = SIGTERM; info.si_code = SI_USER; info.si_pid = 77; info.si_uid = 4000000000u;',
        { signal: 'SIGTERM', code: 0, errno: 0, pid: 77, uid: 4000000000 },
      ],
      [
        'of sigqueue',
        'info.si_signo = SIGRTMAX; info.si_code = SI_QUEUE; info.si_pid = 5; info.si_uid = 6; info.si_value.sival_int = -3;',
        { signal: 'SIGRTMAX', code: -1, errno: 0, pid: 5, uid: 6, value: 0xffff_fffdn },
      ],
      [
        'of a timer',
        'info.si_signo = SIGALRM; info.si_code = SI_TIMER; info.si_timerid = 9; info.si_overrun = 4; info.si_value.sival_ptr = (void *)0x123456789abcdef0;',
        { signal: 'SIGALRM', code: -2, errno: 0, timerId: 9, overrun: 4, value: 0x123456789abcdef0n },
      ],
      [
        'of a child',
        'info.si_signo = SIGCHLD; info.si_code = CLD_KILLED; info.si_pid = 8; info.si_uid = 1; info.si_status = 15;',
        { signal: 'SIGCHLD', code: 2, errno: 0, pid: 8, uid: 1, status: 15 },
      ],
      [
        'of a fault',
        'info.si_signo = SIGSEGV; info.si_code = SEGV_MAPERR; info.si_addr = (void *)0xfedcba9876543210;',
        { signal: 'SIGSEGV', code: 1, errno: 0, address: 0xfedcba9876543210n },
      ],
      [
        'of a descriptor',
        'info.si_signo = SIGIO; info.si_code = POLL_IN; info.si_band = 0x41; info.si_fd = 12;',
        { signal: 'SIGIO', code: 1, errno: 0, band: 0x41, fd: 12 },
      ],
      [
        'of a descriptor that has a signal of its own',
        'info.si_signo = SIGRTMIN; info.si_code = POLL_HUP; info.si_band = 0x10; info.si_fd = 3;',
        { signal: 'SIGRTMIN', code: 6, errno: 0, band: 0x10, fd: 3 },
      ],
      [
        'of a seccomp filter',
        'info.si_signo = SIGSYS; info.si_code = 1; info.si_errno = 42; info.si_call_addr = (void *)0x401000; info.si_syscall = 59; info.si_arch = 0xc000003e;',
        { signal: 'SIGSYS', code: 1, errno: 42, callAddress: 0x401000n, syscall: 59, architecture: 'x64' },
      ],
      [
        'of a seccomp filter on an unknown machine',
        'info.si_signo = SIGSYS; info.si_code = 1; info.si_arch = 0x8000f3;',
        { signal: 'SIGSYS', code: 1, errno: 0, callAddress: 0n, syscall: 0 },
      ],
      [
        'of the kernel',
        'info.si_signo = SIGINT; info.si_code = SI_KERNEL;',
        { signal: 'SIGINT', code: 0x80, errno: 0, pid: 0, uid: 0 },
      ],
      [
        'of a ptrace event',
        'info.si_signo = SIGTRAP; info.si_code = SIGTRAP | (4 << 8); info.si_pid = 33;',
        { signal: 'SIGTRAP', code: 0x405, errno: 0, pid: 33, uid: 0 },
      ],
    ] as const)('%s has the members that C gave it', ([, fill, members]) => {
      const bytes = inC(fill)
      expect(bytes.length).toBe(siginfoBytes)
      expect(decodeSiginfo(bytes)).toEqual({ ...members, bytes })
    })

    it('is encoded as C fills it', () => {
      expect(encodeSiginfo({ signal: 17, code: 1, pid: 8, uid: 1, status: 7 })).toEqual(
        inC(
          'info.si_signo = SIGCHLD; info.si_code = CLD_EXITED; info.si_pid = 8; info.si_uid = 1; info.si_status = 7;',
        ),
      )
      expect(encodeSiginfo({ signal: 5, code: 2, pid: 8, address: 0x401000n })).toEqual(
        inC('info.si_signo = SIGTRAP; info.si_code = TRAP_TRACE; info.si_addr = (void *)0x401000;'),
      )
      expect(encodeSiginfo({ signal: 10, code: -1, pid: 8, uid: 2, value: 5n })).toEqual(
        inC(
          'info.si_signo = SIGUSR1; info.si_code = SI_QUEUE; info.si_pid = 8; info.si_uid = 2; info.si_value.sival_int = 5;',
        ),
      )
    })
  },
)

describe('a siginfo_t of any bytes', () => {
  it('decodes', () => {
    const view = new DataView(new ArrayBuffer(siginfoBytes))
    for (let signal = -1; signal <= 70; signal++) {
      for (const code of [-2147483648, -61, -60, -8, -7, -1, 0, 1, 6, 7, 15, 16, 0x7f, 0x80, 0x405, 2147483647]) {
        view.setInt32(0, signal, true)
        view.setInt32(8, code, true)
        expect(decodeSiginfo(new Uint8Array(view.buffer))).toMatchObject({ code })
      }
    }
  })

  it('is known to the kernel by its code', () => {
    const known = (code: number) => hasKnownLayout(10, code)
    expect([-100, -61, -8, 7, 0x7f, 0x81].filter(known)).toEqual([])
    expect([-60, -7, -1, 0, 1, 6, 0x80].filter(known)).toEqual([-60, -7, -1, 0, 1, 6, 0x80])
    expect(hasKnownLayout(8, 15)).toBe(true)
  })
})
