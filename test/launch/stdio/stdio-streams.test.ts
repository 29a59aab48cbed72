/** Streams as a child's descriptors: those of other children, files and sockets. */

import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { describeNative } from '../support/native.ts'
import { textOf } from '../support/streams.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
afterAll(() => rmSync(folder, { recursive: true }))

describeNative('a stream given as stdio', () => {
  it('that is another child’s stdout makes a pipeline, to the last byte', async () => {
    await using first = await launch('/bin/sh', ['-c', 'head -c 3000000 /dev/zero'], { trace: false })
    await using second = await launch('/bin/sh', ['-c', 'sleep 0.1; wc -c'], {
      stdio: [first.stdout, 'pipe', 'inherit'],
      trace: false,
    })
    const counted = textOf(second.stdout)
    expect(await first.exited).toMatchObject({ code: 0 })
    expect((await counted).trim()).toBe('3000000')
  })

  it('that is another child’s stdout is left alone here when that child ends before it was read', async () => {
    await using first = await launch('/bin/echo', ['for the second'])
    await using second = await launch('/bin/cat', [], { stdio: [first.stdout, 'pipe', 'inherit'] })
    const closed = once(first, 'close')
    await first.run()
    await closed
    // Long enough for a reader in this process to have taken the data.
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
    const text = textOf(second.stdout)
    second.cont()
    expect(await text).toBe('for the second\n')
  })

  it('that is another child’s stdin lets two write to one', async () => {
    await using sink = await launch('/bin/cat', [], { trace: false })
    const text = textOf(sink.stdout)
    for (const word of ['one', 'two']) {
      await using source = await launch('/bin/echo', [word], { stdio: ['ignore', sink.stdin, 'inherit'], trace: false })
      await source.exited
    }
    sink.stdin?.end('three\n')
    expect(await text).toBe('one\ntwo\nthree\n')
  })

  it('that reads a file is read by the child', async () => {
    const path = join(folder, 'read')
    writeFileSync(path, 'from a stream')
    const stream = createReadStream(path)
    await once(stream, 'open')
    await using child = await launch('/bin/cat', [], { stdio: [stream as never, 'pipe', 'inherit'], trace: false })
    expect(await textOf(child.stdout)).toBe('from a stream')
    stream.destroy()
    await once(stream, 'close')
  })

  it('that writes a file is written by the child', async () => {
    const path = join(folder, 'written')
    const stream = createWriteStream(path)
    await once(stream, 'open')
    await using child = await launch('/bin/echo', ['to a stream'], {
      stdio: ['ignore', stream as never, 'inherit'],
      trace: false,
    })
    await child.exited
    stream.end()
    await once(stream, 'close')
    expect(readFileSync(path, 'utf8')).toBe('to a stream\n')
  })

  it('that is a socket is the child’s, both ways', async () => {
    const server = createServer({ pauseOnConnect: true }).listen(join(folder, 'socket'))
    await once(server, 'listening')
    const client = connect(join(folder, 'socket'))
    const [accepted] = (await once(server, 'connection')) as [Socket]
    await using child = await launch('/bin/sh', ['-c', 'read line; echo "you said $line"'], {
      stdio: [accepted, accepted, 'inherit'],
      trace: false,
    })
    accepted.destroy()
    client.write('hello\n')
    expect(await textOf(client)).toBe('you said hello\n')
    await child.exited
    server.close()
    await once(server, 'close')
  })

  it('without a descriptor is refused', async () => {
    for (const stream of [new PassThrough(), createReadStream('/dev/null'), { fd: null }, { fd: -1 }, { fd: 1.5 }]) {
      await expect(launch('/bin/true', [], { stdio: [stream as never] })).rejects.toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
      })
      if (stream instanceof PassThrough === false && 'destroy' in stream) {
        stream.destroy()
        await once(stream, 'close')
      }
    }
  })

  it('that was closed is refused', async () => {
    await using child = await launch('/bin/true', [], { trace: false })
    await once(child, 'close')
    await expect(launch('/bin/true', [], { stdio: [child.stdout] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })
})
