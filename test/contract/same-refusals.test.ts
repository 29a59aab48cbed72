/** Every call with every kind of wrong value in every place: each System refuses the same ones, with the same error. */

import { afterEach, describe, expect, it } from 'vitest'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { SystemError } from '../../lib/system/errors.ts'
import type { System } from '../../lib/system/system.ts'
import { type TidySystem, tidySystem } from '../support/tidy.ts'
import { worlds } from './systems.ts'

/** No descriptor has this number, and no task. */
const none = 2147483647
const data = new Uint8Array(4)
const bad = -1

/** Arguments that reach the kernel and do no harm there: most name a descriptor or a task that does not exist. */
const good: { readonly [Name in Exclude<keyof System, 'kind' | 'now'>]: readonly unknown[] } = {
  pipe2: [bad],
  socketpair: [bad, bad, bad],
  read: [bad, data],
  write: [bad, data],
  send: [bad, data, 0],
  recv: [bad, data, 0],
  sendmsg: [bad, { data, fds: [0] }, 0],
  recvmsg: [bad, { buffer: data, maxFds: 1 }, 0],
  shutdown: [bad, 0],
  close: [bad],
  dup: [bad],
  dup3: [bad, bad, 0],
  fcntl: [bad, 1, 0],
  getsockopt: [bad, 1, 3],
  setsockopt: [bad, 1, 3, 0],
  bytesReadable: [bad],
  writeFile: ['/no/such/file', 'text'],
  // It opens a terminal, where there are any: tidySystem closes it.
  openpty: [{ rows: 1, columns: 2 }],
  setWindowSize: [bad, { rows: 1, columns: 2 }],
  // Answered at once, whatever the timeout.
  poll: [[{ fd: none, events: 1 }], 0],
  epollCreate1: [bad],
  epollCtl: [bad, 1, bad, { events: 1, data: 0 }],
  epollWait: [bad, 1, 0],
  ready: [bad, 1, { signal: new AbortController().signal }],
  watch: [bad, 1, { ready: () => {}, failed: () => {} }],
  sleep: [0, { signal: new AbortController().signal }],
  fork: [{ actions: [], report: bad, memory: 'shared' }],
  waitpid: [none, 1],
  kill: [none, 0],
  tgkill: [none, none, 0],
  waitid: [none, none, bad],
  tgsigqueueinfo: [none, none, new Uint8Array(128)],
  onChildChange: [() => {}, { keepAlive: false }],
  ptraceCont: [none, 0],
  ptraceStep: [none, 0],
  ptraceSyscall: [none, 0],
  ptraceDetach: [none, 0],
  ptraceSeize: [none, 0],
  ptraceAttach: [none],
  ptraceInterrupt: [none],
  ptraceListen: [none],
  ptraceSetOptions: [none, 0],
  ptraceGetEventMessage: [none],
  ptraceGetSigInfo: [none],
  ptraceGetRegisters: [none],
  ptraceSetRegisters: [none, { architecture: 'x64', rax: 1n, pc: 2n }],
  ptraceSetSigInfo: [none, new Uint8Array(128)],
  ptracePeekSigInfo: [none, 0, 1, 0],
  ptraceGetRegisterSet: [none, 1],
  ptraceSetRegisterSet: [none, 1, data],
  ptracePeekUser: [none, 0],
  ptracePokeUser: [none, 0, 0n],
  ptraceGetSyscallInfo: [none],
  ptraceGetSigMask: [none],
  ptraceSetSigMask: [none, ['SIGINT', 2]],
  readMemory: [none, 0n, 8],
  writeMemory: [none, 0n, data],
}

const goodActions: { readonly [Op in ChildAction['op']]: ChildAction & { op: Op } } = {
  traceme: { op: 'traceme' },
  write: { op: 'write', fd: bad, data },
  read: { op: 'read', fd: bad, bytes: 1 },
  open: { op: 'open', path: '/no/such/file', flags: 0, mode: 0, target: bad },
  dup2: { op: 'dup2', fd: bad, target: bad },
  setBlocking: { op: 'setBlocking', fd: bad },
  close: { op: 'close', fd: bad },
  closeAllExcept: { op: 'closeAllExcept', fds: [0] },
  chdir: { op: 'chdir', path: '/no/such/folder' },
  setsid: { op: 'setsid' },
  parentDeathSignal: { op: 'parentDeathSignal', signal: 0, parent: bad },
  raise: { op: 'raise', signal: 'SIGCHLD' },
  ignoreSignals: { op: 'ignoreSignals', signals: ['SIGINT'] },
  signalMask: { op: 'signalMask', signals: [2] },
  processGroup: { op: 'processGroup', group: 0 },
  controllingTerminal: { op: 'controllingTerminal', fd: bad },
  foreground: { op: 'foreground' },
  cgroup: { op: 'cgroup', path: '/no/such/folder' },
  umask: { op: 'umask', mask: 0o77 },
  rlimits: { op: 'rlimits', resource: 'core', soft: 0, hard: 0 },
  nice: { op: 'nice', nice: 19 },
  oomScoreAdj: { op: 'oomScoreAdj', score: 1000 },
  affinity: { op: 'affinity', cpus: [0] },
  aslr: { op: 'aslr', on: true },
  namespaces: { op: 'namespaces', namespaces: ['uts'] },
  chroot: { op: 'chroot', path: '/no/such/folder' },
  groups: { op: 'groups', groups: [0], optional: true },
  gid: { op: 'gid', gid: 0 },
  uid: { op: 'uid', uid: 0 },
  tracer: { op: 'tracer', pid: -1 },
  noNewPrivileges: { op: 'noNewPrivileges' },
  seccomp: { op: 'seccomp', filter: data },
  exit: { op: 'exit', code: 0 },
  execve: { op: 'execve', files: ['/no/such/file'], argv: ['it'], env: ['A=b'] },
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

/** What an argument may be by mistake; some are right in some places. */
const values: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['1.5', 1.5],
  ['-1', -1],
  ['2 ** 31', 2 ** 31],
  ['2 ** 40', 2 ** 40],
  ['2 ** 53', 2 ** 53],
  ['1n', 1n],
  ['-1n', -1n],
  ['2n ** 64n', 2n ** 64n],
  ['no text', ''],
  ['a text', 'text'],
  ['a NUL', 'a\0b'],
  ['a number as text', '1'],
  ['a symbol', Symbol('it')],
  ['an object', {}],
  ['an object of fields that are unknown', { foo: 1n }],
  ['an object without a prototype', Object.create(null)],
  ['an object that throws when it is shown', { toString: () => expect.unreachable() }],
  ['an empty list', []],
  ['a list of null', [null]],
  ['a list with a hole', new Array(1)],
  ['a list of objects', [{}]],
  ['a function', () => {}],
  ['a function whose name is a symbol', Object.defineProperty(() => {}, 'name', { value: Symbol('name') })],
  ['a date', new Date(0)],
  ['an ArrayBuffer', new ArrayBuffer(4)],
  ['a Uint16Array', new Uint16Array(2)],
  ['a detached Uint8Array', detached()],
  ['a DataView', new DataView(new ArrayBuffer(4))],
  ['an aborted flag alone', { aborted: false }],
]

type Path = readonly (string | number)[]

const isTree = (value: unknown): value is object =>
  Array.isArray(value) || (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)

/** The places in the arguments: each of them, and each field and item within. */
function placesIn(tree: unknown, path: Path = []): Path[] {
  const own = path.length === 0 ? [] : [path]
  if (!isTree(tree)) return own
  const keys = Array.isArray(tree) ? [...tree.keys()] : Object.keys(tree)
  return [...own, ...keys.flatMap(key => placesIn((tree as never)[key], [...path, key]))]
}

function replaced(tree: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  const copy = Array.isArray(tree) ? [...tree] : { ...(tree as object) }
  Object.assign(copy, { [key]: replaced((tree as never)[key], rest, value) })
  return copy
}

describe('wrong values', () => {
  let systems: TidySystem[] = []
  afterEach(() => {
    for (const each of systems) each.tidy()
    systems = []
  })

  const open = () => {
    systems = worlds.filter(({ skip }) => skip === undefined).map(world => tidySystem(world.open()))
    return systems.map(({ system }) => system)
  }

  /** The refusal of a call; undefined where the call was carried out, or the kernel refused it. */
  async function refusalOf(system: System, name: keyof typeof good, args: readonly unknown[]) {
    try {
      const result = await (system[name] as (...args: unknown[]) => unknown)(...args)
      if (typeof result === 'function') result()
      return undefined
    } catch (error) {
      if (error instanceof SystemError) return undefined
      const { name, code, message } = error as Error & { code?: unknown }
      return { name, code, message }
    }
  }

  async function expectAlike(name: keyof typeof good, args: readonly unknown[], what: string) {
    const [first, ...others] = await Promise.all(systems.map(({ system }) => refusalOf(system, name, args)))
    if (first !== undefined) {
      expect(first, what).toMatchObject({
        code: expect.stringMatching(/^ERR_/),
        name: expect.stringMatching(/^(Type|Range)Error$/),
      })
    }
    for (const other of others) expect(other, what).toEqual(first)
    return first
  }

  const calls = Object.entries(good) as [keyof typeof good, readonly unknown[]][]
  const cases: [string, keyof typeof good, readonly unknown[]][] = [
    ...calls.map(([name, args]) => [name, name, args] as (typeof cases)[number]),
    ...Object.values(goodActions).map(
      action => [`fork of ${action.op}`, 'fork', [{ actions: [action] }]] as (typeof cases)[number],
    ),
  ]

  it.for(cases)('%s refuses the same ones on every System', async ([, name, args]) => {
    open()
    expect(await expectAlike(name, args, 'good arguments')).toBeUndefined()
    let refused = 0
    for (const place of placesIn(args)) {
      for (const [kind, value] of values) {
        const wrong = replaced(args, place, value) as unknown[]
        if ((await expectAlike(name, wrong, `${kind} at ${place.join('.')}`)) !== undefined) refused++
      }
    }
    expect(refused).toBeGreaterThan(10)
  })

  it.for(cases.filter(([, name]) => name !== 'watch'))(
    '%s refuses fields that it does not know',
    async ([, name, args]) => {
      open()
      for (const place of placesIn(args)) {
        const tree = place.reduce<unknown>((at, key) => (at as never)[key], args)
        if (!isTree(tree) || Array.isArray(tree)) continue
        for (const value of [1n, undefined]) {
          const refusal = await expectAlike(
            name,
            replaced(args, [...place, 'tiemout'], value) as unknown[],
            place.join('.'),
          )
          // A register that is undefined keeps its value, whatever its name.
          if (name === 'ptraceSetRegisters' && value === undefined) continue
          expect(refusal, place.join('.')).toMatchObject({
            code: 'ERR_INVALID_ARG_VALUE',
            message: expect.stringContaining('tiemout'),
          })
        }
      }
    },
  )
})
