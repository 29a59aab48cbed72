/** The error of a failed launch names launch()'s call site, and the details that the errno leaves out. */

import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import { temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative, withCalls } from '../support/native.ts'

async function theCaller(file: string, options: LaunchOptions): Promise<Error> {
  try {
    const child = await launch(file, [], options)
    await child[Symbol.asyncDispose]()
  } catch (error) {
    return error as Error
  }
  throw new Error('the launch succeeded')
}

const kill = (child: { kill(signal: 'SIGKILL'): void }) => child.kill('SIGKILL')
const never = () => new Promise<void>(() => {})

describeNative('the stack of a rejected launch', system => {
  for (const mode of modes) {
    it.each<[string, string, LaunchOptions, string]>([
      ['a program is missing', '/no/such/program', {}, 'SystemError: ENOENT'],
      ['a folder is missing', '/bin/true', { cwd: '/nowhere' }, 'SystemError: ENOENT'],
      ['the child was killed', '/bin/true', { beforeExec: kill }, 'ChildDiedError: '],
      ['the time is over', '/bin/true', { timeoutMs: 0, beforeExec: never }, 'TimedOutError: '],
      ['an option is wrong', '/bin/true', { cwd: 5 as never }, 'TypeError'],
    ])(`names its caller when %s (${mode.name})`, async (_, file, options, header) => {
      const error = await theCaller(file, { ...options, ...optionsOf(mode) })
      expect(error.stack).toContain('theCaller')
      expect(error.stack?.startsWith(header)).toBe(true)
      expect(error.stack).toContain(error.message)
    })
  }

  it.each(modes)('names a caller that does not await it ($name)', async mode => {
    const options = { ...optionsOf(mode), env: {} }
    function theCaller() {
      return launch('/no/such/program', options)
    }
    const theList = () => Promise.allSettled([theCaller(), theCaller()])
    const caught = await theCaller().catch((error: Error) => error)
    const listed = (await theList()).map(result => (result as PromiseRejectedResult).reason)
    for (const error of [caught, ...listed])
      expect(error).toMatchObject({ stack: expect.stringContaining('theCaller') })
    for (const error of listed) expect(error.stack).toContain('theList')
  })

  it('names its caller when a call of this process has failed', async () => {
    const refusing = withCalls(system, {
      pipe2: () => {
        throw new SystemError({ errno: 'EMFILE', syscall: 'pipe2' })
      },
    })
    const error = await theCaller('/bin/true', { system: refusing })
    expect(error).toMatchObject({ code: 'EMFILE', step: 'pipe2' })
    expect(error.stack).toContain('theCaller')
  })

  it.each(modes)('is left alone in what beforeExec threw, and in the reason of an abort ($name)', async mode => {
    for (const thrown of [
      new SystemError({ errno: 'EPERM', syscall: 'mount' }),
      new Error('mine'),
      'text',
      undefined,
    ]) {
      const stack = (thrown as Error | undefined)?.stack
      for (const fail of [
        () => Promise.reject(thrown),
        () => {
          throw thrown
        },
      ]) {
        // biome-ignore format: a pair
        const outcome = await launch('/bin/true', [], { ...optionsOf(mode), beforeExec: fail }).then(
          () => 'launched',
          error => ({ error }),
        )
        expect(outcome).toEqual({ error: thrown })
        expect((outcome as { error: unknown }).error).toBe(thrown)
      }
      const abort = new AbortController()
      const reason = thrown ?? new SystemError({ errno: 'EPERM', syscall: 'abort' })
      const beforeExec = () => abort.abort(reason)
      const error = await launch('/bin/true', [], { ...optionsOf(mode), signal: abort.signal, beforeExec }).catch(
        e => e,
      )
      expect(error).toBe(reason)
      if (thrown instanceof Error) expect([thrown.stack, 'step' in thrown]).toEqual([stack, false])
    }
  })
})

describeNative('the stack of a wait that timed out', system => {
  async function theWaiter(wait: () => Promise<unknown>): Promise<unknown> {
    try {
      await wait()
    } catch (error) {
      return error
    }
  }

  it('names its caller', async () => {
    using channel = Channel.open({ system })
    await using tracee = await launch('/bin/sleep', ['1000'], { system, stdio: 'ignore' })
    tracee.cont()
    for (const waiting of [channel, tracee, tracee.mainThread]) {
      const error = await theWaiter(() => waiting.wait({ timeoutMs: 1 }))
      expect(error).toMatchObject({ code: 'ERR_TIMED_OUT', stack: expect.stringContaining('theWaiter') })
    }
  })
})

describe('the stack of a launch that a simulated world rejects', () => {
  it('names its caller', async () => {
    const error = await theCaller('/no/such/program', { system: new SimulatedKernel().host })
    expect(error.stack).toContain('theCaller')
    expect(error.message).toContain('simulated system')
  })
})

describeNative('the message of a rejected launch', () => {
  const folder = temporaryFolder()
  const script = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, 0o755)
    return path
  }
  const message = async (file: string, options: LaunchOptions = {}) => (await theCaller(file, options)).message

  it.each(modes)('says that the interpreter of a script does not exist ($name)', async mode => {
    const path = script('bad', '#! /no/such/interpreter -x\n')
    const said = 'its interpreter /no/such/interpreter does not exist'
    expect(await message(path, optionsOf(mode))).toContain(said)
    expect(await message('bad', { ...optionsOf(mode), env: { PATH: `/nowhere:${folder}` } })).toContain(said)
    expect(await message('./bad', { ...optionsOf(mode), cwd: folder })).toContain(said)
  })

  it('shows the carriage return of a script that was written elsewhere', async () => {
    expect(await message(script('crlf', '#!/bin/sh\r\nexit 0\r\n'))).toContain(
      'its interpreter /bin/sh\\r does not exist',
    )
  })

  it('names the interpreter that an interpreter lacks', async () => {
    const inner = script('inner', '#!/no/such/thing\n')
    expect(await message(script('outer', `#!${inner}\n`))).toContain('its interpreter /no/such/thing does not exist')
    const circle = script('circle', `#!${join(folder, 'circle')}\n`)
    expect(await message(circle)).toContain('ELOOP')
  })

  it.skipIf(whyNoCompiler !== undefined)('names the dynamic loader that a program lacks', async () => {
    const { execFileSync } = await import('node:child_process')
    const program = join(folder, 'loaderless')
    const source = script('loaderless.c', 'int main(void) { return 0; }\n')
    execFileSync('cc', ['-o', program, source, '-Wl,--dynamic-linker=/no/such/loader.so'])
    expect(await message(program)).toContain('its interpreter /no/such/loader.so does not exist')
  })

  it('says no such thing of a file that is not there', async () => {
    symlinkSync('/nowhere', join(folder, 'dangling'))
    for (const file of ['/nowhere', join(folder, 'dangling')]) expect(await message(file)).not.toContain('interpreter')
  })

  it.each(modes)('names the descriptor that is not open ($name)', async mode => {
    const said = (fd: number) => `stdio[${fd}] is descriptor 987654, which is not open`
    const ignored = ['ignore', 'ignore', 'ignore', 'ignore'] as const
    for (const fd of [0, 1, 2, 3]) {
      const stdio = ignored.map((word, target) => (target === fd ? 987_654 : word))
      expect(await message('/bin/true', { ...optionsOf(mode), stdio })).toContain(said(fd))
    }
  })
})
