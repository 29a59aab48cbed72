/** Megabytes through a child's pipes, with fast and slow readers and writers. */

import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { ChildDuplex } from '../../../lib/launch/stdio/streams.ts'
import { describeNative } from '../support/native.ts'
import { untilState } from '../support/processes.ts'
import { bytesOf } from '../support/streams.ts'

const input = randomBytes(5_000_000)
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describeNative('a child’s pipes', () => {
  it('carry megabytes both ways at once, byte for byte', async () => {
    await using child = await launch('/bin/cat', [], { trace: false })
    const output = bytesOf(child.stdout)
    await pipeline(Readable.from([input]), child.stdin!)
    expect(hash(await output)).toBe(hash(input))
  })

  it('hold the child back while there is no reader, and lose nothing', async () => {
    await using child = await launch('/bin/cat', [], { trace: false })
    const accepted = child.stdin!.write(input)
    expect(accepted).toBe(false)
    child.stdin!.end()
    await untilState(child.pid, 'S')
    const digest = createHash('sha256')
    let bytes = 0
    for await (const chunk of child.stdout!) {
      digest.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
      // A slow reader: one event loop turn per chunk.
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(bytes).toBe(input.length)
    expect(digest.digest('hex')).toBe(hash(input))
  })

  it('carry megabytes both ways over one two-way pipe', async () => {
    await using child = await launch('/bin/sh', ['-c', 'cat <&3 >&3'], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      trace: false,
    })
    const both = child.stdio[3] as ChildDuplex
    const output = bytesOf(both)
    both.end(input)
    expect(hash(await output)).toBe(hash(input))
  })

  it('deliver what is left when the child has ended', async () => {
    await using child = await launch('/bin/sh', ['-c', 'head -c 60000 /dev/zero; echo end >&2'], { trace: false })
    const [out, err] = [bytesOf(child.stdout), bytesOf(child.stderr)]
    expect(await child.exited).toMatchObject({ code: 0 })
    expect((await out).length).toBe(60_000)
    expect((await err).toString()).toBe('end\n')
  })

  it('small chunks keep their text when decoded', async () => {
    await using child = await launch('/bin/sh', ['-c', 'printf "\\303"; sleep 0.02; printf "\\274"'], { trace: false })
    child.stdout!.setEncoding('utf8')
    let text = ''
    for await (const chunk of child.stdout!) text += chunk
    expect(text).toBe('ü')
  })

  it('writing to a program that has closed its stdin is an EPIPE error of the stream', async () => {
    await using child = await launch('/bin/sh', ['-c', 'exec <&-; echo closed; sleep 60'], { trace: false })
    await once(child.stdout!, 'data')
    const failed = once(child.stdin!, 'error')
    child.stdin!.write('too late')
    expect((await failed)[0]).toMatchObject({ code: 'EPIPE' })
  })

  it('writing to a program that ends without reading ends quietly, as with child_process', async () => {
    await using child = await launch('/bin/true', [], { trace: false })
    const errors: unknown[] = []
    child.stdin!.on('error', error => errors.push(error))
    child.stdin!.write(input)
    await once(child, 'close')
    expect(child.stdin!.destroyed).toBe(true)
    // EPIPE if the pipe broke before the child's end was seen.
    for (const error of errors) expect(error).toMatchObject({ code: 'EPIPE' })
    expect(child.stdin!.fd).toBe(-1)
  })

  it('a reader that goes away early breaks the child’s pipe', async () => {
    await using child = await launch('/bin/cat', ['/dev/zero'], { trace: false })
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    expect(await child.exited).toMatchObject({ kind: 'signaled', signal: 'SIGPIPE' })
  })
})
