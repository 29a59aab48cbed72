/** The types of launch()'s result. Errors show in the type checker, not at run time. */

import { expectTypeOf, it } from 'vitest'
import {
  type Child,
  type ChildExit,
  type ChildReadable,
  type ChildWritable,
  isErrno,
  type KnownOptions,
  type LaunchOptions,
  launch,
  type StdioEntry,
  type StdioOptions,
  type SystemError,
  type Tracee,
} from '../../lib/index.ts'

// Never called: only type-checked.
const start = (...args: Parameters<typeof launch>) => launch(...args)
const flag = start.length > 0

it('a launch gives a Tracee, or a Child with trace: false', () => {
  const launches = async () => {
    const tracee = await launch('/bin/true')
    expectTypeOf(tracee).toExtend<Tracee>()
    expectTypeOf(await launch('/bin/true', ['x'])).toExtend<Tracee>()
    expectTypeOf(await launch('/bin/true', [], {})).toExtend<Tracee>()
    expectTypeOf(await launch('/bin/true', undefined, { cwd: '/' })).toExtend<Tracee>()
    expectTypeOf(await launch('/bin/true', { cwd: new URL('file:///') })).toExtend<Tracee>()
    expectTypeOf(await launch('/bin/true', [], { trace: 'seize' })).toExtend<Tracee>()
    expectTypeOf(await launch('/bin/true', [], { trace: undefined })).toExtend<Tracee>()
    const child = await launch('/bin/true', [], { trace: false })
    expectTypeOf(child).toExtend<Child>()
    // @ts-expect-error: it is not traced
    child.cont()
    // @ts-expect-error: nor is it without a list of arguments
    void launch('/bin/true', { trace: false }).then(each => each.cont())
    expectTypeOf(tracee.run()).resolves.toEqualTypeOf<ChildExit>()
    expectTypeOf((await tracee.run()).rusage.maxRSS).toEqualTypeOf<number>()
  }
  expectTypeOf(launches).toBeFunction()
})

it('a launch whose trace is open gives either', () => {
  const launches = async (options: LaunchOptions, without: Omit<LaunchOptions, 'trace'>) => {
    const known = [await launch('/bin/true', [], options), await launch('/bin/true', options)] as const
    expectTypeOf(known).toEqualTypeOf<readonly [Child | Tracee, Child | Tracee]>()
    expectTypeOf(await launch('/bin/true', [], without)).toExtend<Tracee>()
    for (const child of [
      await launch('/bin/true', [], { ...options, cwd: '/' }),
      await launch('/bin/true', [], { trace: flag ? false : 'traceme' }),
      await launch('/bin/true', [], { trace: flag ? false : undefined }),
      await launch('/bin/true', [], flag ? { trace: false } : {}),
      await launch('/bin/true', [], flag ? { trace: false } : { cwd: '/' }),
    ]) {
      // @ts-expect-error: it may be a Child
      child.cont()
    }
  }
  expectTypeOf(launches).toBeFunction()
})

it('a stream is there where stdio makes a pipe, and null where it does not', () => {
  const launches = async (entries: StdioEntry[], stdio: StdioOptions, word: 'pipe' | 'ignore') => {
    for (const piped of [
      await launch('/bin/true'),
      await launch('/bin/true', []),
      await launch('/bin/true', [], { trace: false }),
      await launch('/bin/true', [], { stdio: 'pipe' }),
      await launch('/bin/true', [], { stdio: undefined }),
      await launch('/bin/true', [], { stdio: ['pipe', 'pipe', 'pipe'] }),
      await launch('/bin/true', [], { stdio: [] }),
      await launch('/bin/true', [], { stdio: [null, undefined, 'pipe', 'ignore'] }),
      await launch('/bin/true', { stdio: ['pipe'] }),
    ]) {
      expectTypeOf(piped.stdin).toEqualTypeOf<ChildWritable>()
      expectTypeOf(piped.stdout).toEqualTypeOf<ChildReadable>()
      expectTypeOf(piped.stderr).toEqualTypeOf<ChildReadable>()
    }
    for (const stdio of ['inherit', 'ignore'] as const) {
      const { stdin, stdout, stderr } = await launch('/bin/true', [], { stdio })
      expectTypeOf([stdin, stdout, stderr]).toEqualTypeOf<null[]>()
    }
    const mixed = await launch('/bin/true', [], { trace: false, stdio: ['ignore', 'pipe', 2, 'pipe'] })
    expectTypeOf(mixed.stdin).toEqualTypeOf<null>()
    expectTypeOf(mixed.stdout).toEqualTypeOf<ChildReadable>()
    expectTypeOf(mixed.stderr).toEqualTypeOf<null>()
    for (const open of [
      await launch('/bin/true', [], { stdio }),
      await launch('/bin/true', [], { stdio: entries }),
      await launch('/bin/true', [], { stdio: word }),
      await launch('/bin/true', [], { stdio: [word, word, word] }),
    ]) {
      expectTypeOf(open.stdin).toEqualTypeOf<ChildWritable | null>()
      expectTypeOf(open.stderr).toEqualTypeOf<ChildReadable | null>()
    }
  }
  expectTypeOf(launches).toBeFunction()
})

it('an option that there is not, and a wrong value, do not compile', () => {
  const launches = () => {
    // @ts-expect-error: misspelt
    void launch('/bin/true', [], { cwd: '/', Env: {} })
    // @ts-expect-error: misspelt
    void launch('/bin/true', { trace: false, timeout: 5 })
    // @ts-expect-error: there is no such way of tracing
    void launch('/bin/true', [], { trace: true })
    // @ts-expect-error: there is no such entry
    void launch('/bin/true', [], { stdio: ['pipes'] })
    // @ts-expect-error: two objects with options
    void launch('/bin/true', {}, {})
    void launch('/bin/true', [], {
      trace: false,
      beforeExec: child => void expectTypeOf(child).toEqualTypeOf<Child>(),
    })
  }
  expectTypeOf(launches).toBeFunction()
})

it('a function of one’s own passes options on, and their types', () => {
  const start = <const Options extends LaunchOptions>(options: Options & KnownOptions<Options>) =>
    launch('/bin/true', options)
  const launches = async () => {
    expectTypeOf((await start({ trace: false })).stdin).toEqualTypeOf<ChildWritable>()
    expectTypeOf((await start({ stdio: 'ignore' })).cont).toBeFunction()
    // @ts-expect-error: misspelt
    void start({ cwdd: '/' })
    // @ts-expect-error: it is not traced
    void start({ trace: false }).then(child => child.cont())
  }
  expectTypeOf(launches).toBeFunction()
})

it('isErrno narrows to a SystemError', () => {
  const narrow = (error: unknown) => (isErrno(error, 'ENOENT') ? error : undefined)
  expectTypeOf(narrow).returns.toEqualTypeOf<SystemError | undefined>()
})
