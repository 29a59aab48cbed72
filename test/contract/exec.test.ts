import { describe, expect, it } from 'vitest'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { bytes, heldChild, readText } from './helpers.ts'
import { describeContract } from './suite.ts'

const { O_CLOEXEC, POLLHUP, POLLIN } = constants

describeContract('executing programs', world => {
  const run = (file: string, ...args: string[]): ChildAction => ({
    op: 'execve',
    files: [file],
    argv: [file, ...args],
    env: [],
  })
  /** Forks the actions with a pipe as standard output; the output and the raw status. */
  const outputOf = (actions: readonly ChildAction[], memory: 'shared' | 'copied' = 'shared') => {
    const [r, w] = world.system.pipe2(O_CLOEXEC)
    const pid = world.system.fork({ actions: [{ op: 'dup2', fd: w, target: 1 }, ...actions], memory })
    world.system.close(w)
    let output = ''
    for (let more = '.'; more !== ''; output += more) more = readText(world.system, r)
    world.system.close(r)
    return { output, raw: world.system.waitpid(pid)?.raw }
  }

  it.for(['shared', 'copied'] as const)('runs the program with its arguments, in %s memory', memory => {
    const { echo } = world.programs
    expect(outputOf([run(echo, 'hello', 'from the child')], memory)).toEqual({
      output: 'hello from the child\n',
      raw: 0,
    })
  })

  it('gives the exit code of the program', () => {
    expect(outputOf([run(world.programs.true)]).raw).toBe(0)
    expect(outputOf([run(world.programs.false)]).raw).toBe(0x0100)
  })

  it('takes the first candidate that is there', () => {
    const { echo, false: no } = world.programs
    const files = ['/no/such/echo', '/dev/null/echo', '/dev/null', echo, no]
    expect(outputOf([{ op: 'execve', files, argv: ['echo', 'found'], env: [] }])).toEqual({ output: 'found\n', raw: 0 })
  })

  it('a program reads and writes the descriptors set up for it', () => {
    const [r, w] = world.system.pipe2(O_CLOEXEC)
    world.system.write(w, bytes('through the cat'))
    world.system.close(w)
    expect(outputOf([{ op: 'dup2', fd: r, target: 0 }, run(world.programs.cat)])).toEqual({
      output: 'through the cat',
      raw: 0,
    })
  })

  /** A running cat, with further descriptors as the actions leave them. */
  const runningCat = (before: readonly ChildAction[]) => {
    const [input, feed] = world.system.pipe2(O_CLOEXEC)
    const [output, w] = world.system.pipe2(O_CLOEXEC)
    const put: ChildAction[] = [
      { op: 'dup2', fd: input, target: 0 },
      { op: 'dup2', fd: w, target: 1 },
    ]
    const pid = world.system.fork({ actions: [...before, ...put, run(world.programs.cat)] })
    world.system.close(input)
    world.system.close(w)
    world.system.write(feed, bytes('runs'))
    expect(readText(world.system, output)).toBe('runs')
    const end = () => {
      world.system.close(feed)
      return world.system.waitpid(pid)?.raw
    }
    return { pid, end }
  }

  describe('and descriptors', () => {
    const hangsUp = (fd: number) => (world.system.poll([{ fd, events: POLLIN }], 0)[0]! & POLLHUP) !== 0

    it('close-on-exec ones are closed, others are kept', () => {
      const [r, w] = world.system.pipe2(O_CLOEXEC)
      const [r2, w2] = world.system.pipe2()
      const cat = runningCat([])
      world.system.close(w)
      world.system.close(w2)
      expect([hangsUp(r), hangsUp(r2)]).toEqual([true, false])
      expect(cat.end()).toBe(0)
      expect(hangsUp(r2)).toBe(true)
    })

    it('dup2 keeps its target across exec, also of a descriptor onto itself', () => {
      const [r, w] = world.system.pipe2(O_CLOEXEC)
      const [r2, w2] = world.system.pipe2(O_CLOEXEC)
      const [, target] = world.system.pipe2(O_CLOEXEC)
      const cat = runningCat([
        { op: 'dup2', fd: w, target: w },
        { op: 'dup2', fd: w2, target },
      ])
      world.system.close(w)
      world.system.close(w2)
      expect([hangsUp(r), hangsUp(r2)]).toEqual([false, false])
      expect(cat.end()).toBe(0)
    })

    it('the dup2 of a child does not change the parent', () => {
      const [, w] = world.system.pipe2(O_CLOEXEC)
      const cat = runningCat([{ op: 'dup2', fd: w, target: w }])
      expect(world.system.fcntl(w, constants.F_GETFD)).toBe(constants.FD_CLOEXEC)
      expect(cat.end()).toBe(0)
    })
  })

  it('signals have their default actions in the program: SIGPIPE, which the parent ignores, too', () => {
    const cat = runningCat([])
    world.system.kill(cat.pid, 'SIGPIPE')
    expect(world.system.waitpid(cat.pid)?.raw).toBe(13)
  })

  it.for(['SIGINT', 'SIGUSR1', 'SIGRTMIN'] as const)('none is blocked in the program: %s', signal => {
    const cat = runningCat([])
    world.system.kill(cat.pid, signal)
    expect(world.system.waitpid(cat.pid)?.status).toMatchObject({ kind: 'signaled', signal })
  })

  // A child that may share memory blocks these: a core dump would end every process that shares it.
  it.for(['SIGQUIT', 'SIGABRT', 'SIGSEGV', 'SIGSYS', 'SIGXCPU', 'SIGPIPE'] as const)(
    'a child at its gate dies of %s from outside, when it executes at the latest',
    signal => {
      const { sleep } = world.programs
      const child = heldChild(world.system, { before: [{ op: 'chdir', path: '/proc' }], after: [run(sleep, '1000')] })
      world.system.kill(child.pid, signal)
      try {
        child.release()
      } catch (error) {
        // It is dead already.
        expect(error).toMatchObject({ code: 'EPIPE' })
      }
      expect(world.system.waitpid(child.pid)?.status).toMatchObject({ kind: 'signaled', signal })
    },
  )

  it('a program that sleeps can be ended', () => {
    const pid = world.system.fork({ actions: [run(world.programs.sleep, '1000')] })
    expect(world.system.waitpid(pid, constants.WNOHANG)).toBeNull()
    world.system.kill(pid, 'SIGKILL')
    expect(world.system.waitpid(pid)?.raw).toBe(9)
  })
})
