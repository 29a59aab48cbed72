import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { type Held, Rendezvous } from '../../lib/index.ts'
import { main, startProgram } from '../cli/command.ts'
import { describeNative } from '../support/describe-native.ts'
import { pollLimitMs } from '../support/time-limits.ts'

describeNative('Rendezvous and tracegate hold', () => {
  async function meet(script: string, body: (held: Held, stdin: Socket) => Promise<void>) {
    await using rendezvous = await Rendezvous.open({ timeoutMs: pollLimitMs })
    const tracegate = [process.execPath, main]
    const [file, ...words] = rendezvous.command('/bin/sh', ['-c', script], { tracegate })
    const running = startProgram(file!, words)
    await body(await rendezvous.held, running.process.stdin as Socket)
    return await running.finished
  }

  it('attach() leaves the program in state T and untraced', async () => {
    const { status, stdout } = await meet('echo ran; exit 7', async held => {
      await held.attach()
      process.kill(held.pid, 'SIGCONT')
      expect(await held.exited).toEqual({ code: 7, signal: null })
    })
    expect({ status, stdout }).toEqual({ status: 7, stdout: 'ran\n' })
  })

  it('release() lets it run', async () => {
    const { status, stdout } = await meet('echo ran; kill -TERM $$', async held => {
      await held.release()
      expect(await held.exited).toEqual({ code: null, signal: 'SIGTERM' })
      await held.release()
    })
    expect({ status, stdout }).toEqual({ status: 143, stdout: 'ran\n' })
  })

  it('abort() kills it unrun', async () => {
    const { status, stdout } = await meet('echo ran', async held => {
      await held.abort()
      expect(await held.exited).toEqual({ code: null, signal: 'SIGKILL' })
    })
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' })
  })

  it('rejects held with the errno of a program that is not there', async () => {
    await using rendezvous = await Rendezvous.open({ timeoutMs: pollLimitMs })
    const [file, ...words] = rendezvous.command('/no/such/program', [], { tracegate: [process.execPath, main] })
    const running = startProgram(file!, words)
    await expect(rendezvous.held).rejects.toMatchObject({
      code: 'ENOENT',
      step: 'execve',
      path: '/no/such/program',
      message: "ENOENT: no such file or directory, execve '/no/such/program'",
    })
    expect((await running.finished).status).toBe(127)
  })
})
