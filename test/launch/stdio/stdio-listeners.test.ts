/**
 * Streams and their users: listeners that throw, buffers that are detached, streams destroyed or unreferenced
 * during a wait.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { uncaughtDuring } from '../../support/uncaught.ts'
import { describeNative } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'
import { untilState } from '../support/processes.ts'
import { bytesOf, textOf } from '../support/streams.ts'

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

describeNative('the streams of a child', () => {
  it('go on after a data listener that throws, which is an uncaught exception', async () => {
    let bytes = 0
    const caught = await uncaughtDuring(async () => {
      await using child = await launch('/bin/sh', ['-c', 'head -c 1000000 /dev/zero'], { trace: false })
      child.stdout!.on('data', (chunk: Buffer) => {
        const isFirst = bytes === 0
        bytes += chunk.length
        if (isFirst) throw new Error('mine')
      })
      await once(child, 'close')
    })
    expect(caught).toMatchObject([{ message: 'mine' }])
    expect(bytes).toBe(1_000_000)
  })

  it.for(['end', 'close'])('a listener of %s that throws keeps no other event back', async event => {
    const caught = await uncaughtDuring(async () => {
      await using child = await launch('/bin/echo', ['x'], { trace: false })
      child.stdout!.on(event, () => {
        throw new Error('mine')
      })
      child.stdout!.resume()
      await once(child, 'close')
    })
    expect(caught).toMatchObject([{ message: 'mine' }])
  })

  it.for(['a callback of the end', 'a listener of finish'])(
    '%s that throws does not keep the end from the child',
    async which => {
      const caught = await uncaughtDuring(async () => {
        await using child = await launch('/bin/sh', ['-c', 'wc -c'], { trace: false })
        const closed = once(child, 'close')
        const fail = () => {
          throw new Error('mine')
        }
        if (which === 'a listener of finish') child.stdin!.on('finish', fail)
        child.stdin!.write(Buffer.alloc(300_000))
        if (which === 'a callback of the end') child.stdin!.end(fail)
        else child.stdin!.end()
        expect((await textOf(child.stdout)).trim()).toBe('300000')
        expect(child.stdin!.fd).toBe(-1)
        await closed
      })
      expect(caught).toMatchObject([{ message: 'mine' }])
    },
  )

  it('an exit listener that throws keeps neither the other listeners nor close back', async () => {
    const caught = await uncaughtDuring(async () => {
      await using child = await launch('/bin/cat', [], { trace: false })
      child.on('exit', () => {
        throw new Error('mine')
      })
      child.stdin!.end()
      await once(child, 'close')
    })
    expect(caught).toMatchObject([{ message: 'mine' }])
  })

  it('a write callback that throws keeps the next write from nothing', async () => {
    const caught = await uncaughtDuring(async () => {
      await using child = await launch('/bin/sh', ['-c', 'wc -c'], { trace: false })
      child.stdin!.write(Buffer.alloc(300_000), () => {
        throw new Error('mine')
      })
      child.stdin!.end(Buffer.alloc(300_000))
      expect((await textOf(child.stdout)).trim()).toBe('600000')
    })
    expect(caught).toMatchObject([{ message: 'mine' }])
  })

  it.for(['callback of a write', 'callback of a small write', 'drain listener', 'finish listener', 'callback of end'])(
    'a %s that throws keeps neither the end of file back nor close',
    async kind => {
      const caught = await uncaughtDuring(async () => {
        await using child = await launch('/bin/cat', [], { trace: false })
        const stdin = child.stdin!
        let fail!: () => void
        const failed = new Promise<void>(resolve => {
          fail = () => {
            resolve()
            throw new Error('mine')
          }
        })
        if (kind.endsWith('listener')) stdin.once(kind.split(' ')[0]!, fail)
        child.stdout!.resume()
        // More than the pipe holds, so 'drain' comes once the child has read.
        stdin.write(Buffer.alloc(kind.includes('small') ? 10 : 300_000), kind.endsWith('write') ? fail : undefined)
        if (kind === 'drain listener') await failed
        stdin.end('the rest', kind === 'callback of end' ? fail : undefined)
        await once(child, 'close')
        expect(stdin.closed).toBe(true)
      })
      expect(caught).toMatchObject([{ message: 'mine' }])
    },
  )

  it('call their listeners in the asynchronous context of their first use', async () => {
    const storage = new AsyncLocalStorage<string>()
    await using child = await launch('/bin/echo', ['x'], { trace: false })
    const seen = await new Promise<unknown>(resolve => {
      storage.run('mine', () => child.stdout!.on('data', () => resolve(storage.getStore())))
    })
    expect(seen).toBe('mine')
  })

  it.for(['transferred', 'transferred while queued', 'shrunk'])(
    'a write whose memory is %s fails with EFAULT',
    async how => {
      await using child = await launch('/bin/sh', ['-c', 'read go <&3; wc -c'], {
        stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
        trace: false,
      })
      const options = how === 'shrunk' ? { maxByteLength: 600_000 } : undefined
      const buffer = new (ArrayBuffer as unknown as new (bytes: number, options?: object) => ArrayBuffer)(
        500_000,
        options,
      )
      if (how === 'transferred while queued') child.stdin!.write(Buffer.alloc(500_000))
      const failed = once(child.stdin!, 'error')
      const told = new Promise(resolve => child.stdin!.write(new Uint8Array(buffer), resolve))
      if (how === 'shrunk') (buffer as ArrayBuffer & { resize(bytes: number): void }).resize(10)
      else structuredClone(buffer, { transfer: [buffer] })
      ;(child.stdio[3] as unknown as NodeJS.WritableStream).write('go\n')
      expect(await told).toMatchObject({ code: 'EFAULT' })
      expect((await failed)[0]).toMatchObject({ code: 'EFAULT' })
    },
  )

  it('a write of shared memory arrives whole', async () => {
    await using child = await launch('/bin/cat', [], { trace: false })
    const output = bytesOf(child.stdout)
    child.stdin!.end(new Uint8Array(new SharedArrayBuffer(300_000)).fill(65))
    expect((await output).equals(Buffer.alloc(300_000, 65))).toBe(true)
  })

  it('destroyed pass the error to every pending write, in order, and emit no error event', async () => {
    await using child = await launch('/bin/sleep', ['60'], { trace: false })
    const told: unknown[] = []
    child.stdin!.on('error', error => told.push(error))
    for (const name of ['first', 'second']) {
      child.stdin!.write(Buffer.alloc(3_000_000), error => told.push([name, (error as { code?: string }).code]))
    }
    child.stdin!.destroy()
    expect(told).toEqual([])
    await once(child.stdin!, 'close')
    expect(told).toEqual([
      ['first', 'ERR_STREAM_DESTROYED'],
      ['second', 'ERR_STREAM_DESTROYED'],
    ])
  })

  it.skipIf(!existsSync('dist/index.js') || whyNot('true') !== undefined)(
    'unreferenced let the process end while they wait; referenced again they keep it',
    async () => {
      const ran = (refAgain: boolean) =>
        runNode(`
          const child = await launch('/bin/sh', ['-c', 'read line; echo $line'], { trace: false, exitKill: false })
          child.unref()
          child.stdout.on('data', chunk => { report(String(chunk)); child.stdin.destroy() })
          child.stderr.unref().on('data', () => {})
          child.stdin.unref()
          child.stdout.unref()
          ${refAgain ? 'child.stdout.ref()' : ''}
          setTimeout(() => child.stdin.write('said\\n'), 50).unref()
        `)
      expect(await ran(true)).toMatchObject({ code: 0, reports: ['said\n'] })
      expect(await ran(false)).toMatchObject({ code: 0, reports: [] })
    },
  )
})

describeNative('a stream that is given to another child', () => {
  it('while it is waited for here loses nothing', async () => {
    await using first = await launch('/bin/cat', [], { trace: false })
    const taken: string[] = []
    first.stdout!.on('data', chunk => taken.push(String(chunk)))
    await turns(3)
    await using second = await launch('/bin/cat', [], { stdio: [first.stdout, 'pipe', 'inherit'], trace: false })
    // The child is stopped, so that only this process can read.
    second.kill('SIGSTOP')
    await untilState(second.pid, 'T')
    const text = textOf(second.stdout)
    first.stdin!.end('for the second\n')
    await first.exited
    await turns(20)
    second.kill('SIGCONT')
    expect(await text).toBe('for the second\n')
    expect(taken).toEqual([])
  })

  it('out of its own data listener is read no further, and resume() reads on', async () => {
    await using first = await launch('/bin/cat', [], { trace: false })
    const taken: string[] = []
    const gave = new Promise<Awaited<ReturnType<typeof launch>>>((resolve, reject) => {
      first.stdout!.on('data', chunk => {
        taken.push(String(chunk))
        if (taken.length > 1) return
        launch('/bin/sh', ['-c', 'read line; echo "got $line"'], {
          stdio: [first.stdout, 'pipe', 'inherit'],
          trace: false,
        }).then(child => resolve(child as never), reject)
      })
    })
    first.stdin!.write('one\n')
    await using second = await gave
    await turns(5)
    first.stdin!.write('two\n')
    expect(await textOf(second.stdout)).toBe('got two\n')
    expect(taken).toEqual(['one\n'])
    const next = once(first.stdout!, 'data')
    first.stdout!.resume()
    first.stdin!.write('three\n')
    expect(String((await next)[0])).toBe('three\n')
  })

  it('whose launch fails is read on', async () => {
    await using first = await launch('/bin/cat', [], { trace: false })
    const data = once(first.stdout!, 'data')
    await expect(launch('/no/such/program', [], { stdio: [first.stdout, 'pipe', 'pipe'] })).rejects.toMatchObject({
      code: 'ENOENT',
    })
    first.stdin!.write('still here')
    expect(String((await data)[0])).toBe('still here')
  })

  it('that is a socket being read here loses nothing', async () => {
    const path = join(tmpdir(), `tracegate-given-${process.pid}`)
    const server = createServer().listen(path)
    await once(server, 'listening')
    const client = connect(path)
    const [accepted] = (await once(server, 'connection')) as [Socket]
    const taken: unknown[] = []
    accepted.on('data', chunk => taken.push(chunk))
    await turns(3)
    await using child = await launch('/bin/cat', [], { stdio: [accepted, 'pipe', 'inherit'], trace: false })
    child.kill('SIGSTOP')
    await untilState(child.pid, 'T')
    const text = textOf(child.stdout)
    client.end('hello')
    await turns(20)
    child.kill('SIGCONT')
    expect(await text).toBe('hello')
    expect(taken).toEqual([])
    accepted.destroy()
    client.destroy()
    server.close()
    await once(server, 'close')
  })

  it('a stdin that was given on never blocks this thread', async () => {
    await using sink = await launch('/bin/sleep', ['60'], { trace: false })
    await using source = await launch('/bin/true', [], { stdio: ['ignore', sink.stdin, 'inherit'], trace: false })
    await source.exited
    // The descriptor is blocking now, as it is the other child's stdout. This write fills the pipe, and must
    // wait in the event loop.
    sink.stdin!.on('error', () => {})
    sink.stdin!.write(Buffer.alloc(3_000_000))
    await turns(5)
    expect(sink.stdin!.writableLength).toBe(3_000_000)
  })
})
