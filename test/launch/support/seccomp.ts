/** Small seccomp filters, for x64 and arm64. */

const load = 0x20
const jumpIfEqual = 0x15
const give = 0x06

export const allow = 0x7fff0000
export const killProcess = 0x80000000
/** SECCOMP_RET_ERRNO with an errno. */
export const failWith = (errno: number): number => 0x00050000 | errno
/** SECCOMP_RET_TRACE with its data. */
export const traceWith = (data: number): number => 0x7ff00000 | data

const numbers = {
  x64: { write: 1, mprotect: 10, rt_sigprocmask: 14, execve: 59, getppid: 110, uname: 63, socket: 41, mount: 165 },
  arm64: {
    write: 64,
    mprotect: 226,
    rt_sigprocmask: 135,
    execve: 221,
    getppid: 173,
    uname: 160,
    socket: 198,
    mount: 40,
  },
}[process.arch as 'x64' | 'arm64']

type Name = keyof (typeof numbers & object)

/** Instructions as the kernel takes them: code, jumps, constant. */
export function instructions(
  ...list: readonly (readonly [code: number, ifTrue: number, ifFalse: number, k: number])[]
) {
  const bytes = new Uint8Array(list.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [i, [code, ifTrue, ifFalse, k]] of list.entries()) {
    view.setUint16(i * 8, code, true)
    bytes[i * 8 + 2] = ifTrue
    bytes[i * 8 + 3] = ifFalse
    view.setUint32(i * 8 + 4, k, true)
  }
  return bytes
}

/** Answers these calls by `answer` and allows all others. */
export function filterOf(names: readonly Name[], answer: number): Uint8Array {
  return instructions(
    [load, 0, 0, 0],
    ...names.map((name, i) => [jumpIfEqual, names.length - i, 0, numbers[name]] as const),
    [give, 0, 0, allow],
    [give, 0, 0, answer],
  )
}
