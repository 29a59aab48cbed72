/** A terminal's two sides: its stream and its end. */

import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { openPty, PtySlave } from '../../../lib/launch/stdio/pty.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { rejection, thrown } from '../../contract/helpers.ts'
import { describeNative } from '../support/native.ts'
import { runNode } from '../support/node.ts'
import { until } from '../support/processes.ts'
import { onTerminal } from '../support/screen.ts'
import { textOf } from '../support/streams.ts'

describeNative('a terminal', () => {
  it('is a stream of what programs print, and what is typed', async () => {
    const { master, slave } = openPty()
    expect(master).toBeInstanceOf(Duplex)
    expect(slave).toBeInstanceOf(PtySlave)
    const child = await launch('/bin/sh', ['-c', 'read word; echo "<$word>"; exit 4'], {
      trace: false,
      stdio: [slave, slave, slave],
    })
    expect(slave.fd).toBe(-1)
    master.write('typed\n')
    expect(await textOf(master)).toBe('typed\r\n<typed>\r\n')
    expect(master.fd).toBe(-1)
    expect(await child.exited).toMatchObject({ code: 4 })
  })

  it('has 24 lines of 80 characters, or the size that it is given, and takes another', async () => {
    for (const [size, shown] of [
      [{}, '24 80'],
      [{ rows: 7 }, '7 80'],
      [{ rows: 50, columns: 132 }, '50 132'],
    ] as const) {
      const { child, typist } = await onTerminal('/bin/sh', ['-c', 'stty size; read x; stty size'], {}, size)
      await typist.sees(new RegExp(`${shown}\r\n`))
      if ('columns' in size) typist.pty.master.resize({ rows: 3, columns: 4 })
      else typist.pty.master.resize(3, 4)
      typist.type('\n')
      await typist.sees(/3 4\r\n/)
      await typist.closed()
      await child.exited
    }
  })

  it('refuses sizes that no terminal has, and options that there are not', () => {
    expect(thrown(() => openPty({ rows: 65536 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    expect(thrown(() => openPty({ columns: '80' as never }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    expect(thrown(() => openPty({ cols: 80 } as never))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(thrown(() => openPty({ system: 1 as never }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    using pty = openPty()
    expect(thrown(() => pty.master.resize(1, -1))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    expect(thrown(() => pty.master.resize({ rows: 1, columns: -1 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    expect(pty.master.readableEnded).toBe(false)
  })

  it('that was closed resizes no more, and has no foreground', () => {
    const pty = openPty()
    pty.close()
    pty.close()
    pty.master.resize(1, 1)
    expect(pty.master.foregroundGroup).toBeNull()
    expect(pty.slave.fd).toBe(-1)
  })

  it('outlives a failed launch, and keeps a slave that is given by its number', async () => {
    using pty = openPty()
    const { master, slave } = pty
    const { fd } = slave
    const stdio = [slave, slave, slave]
    expect(await rejection(launch('/no/such/program', [], { stdio }))).toMatchObject({ code: 'ENOENT' })
    expect(slave.fd).toBe(fd)
    for (const word of ['one', 'two']) {
      const child = await launch('/bin/echo', [word], { trace: false, stdio: [fd, fd, fd] })
      await child.exited
    }
    slave.close()
    expect(await textOf(master)).toBe('one\r\ntwo\r\n')
    const error = await rejection(launch('/bin/true', [], { stdio }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(error.message).toContain('must be a terminal whose slave is open')
  })

  it('ends with the last program that has it, not with the first', async () => {
    const { child, pty } = await onTerminal('/bin/sh', ['-c', "trap '' HUP; (sleep 0.2; echo late) & echo early"])
    const ended = new Promise(resolve => pty.master.once('end', resolve))
    const text: string[] = []
    pty.master.on('data', chunk => text.push(String(chunk)))
    await child.exited
    await ended
    expect(text.join('')).toBe('early\r\nlate\r\n')
  })

  it('works where no listener reads: the program waits, and its output is there when one does', async () => {
    const { slave, master } = openPty()
    const child = await launch('python3', ['-c', 'print("x" * 500_000)'], {
      trace: false,
      stdio: [slave, slave, slave],
    })
    let hasEnded = false
    void child.exited.then(() => {
      hasEnded = true
    })
    await until('there is output', () => openSystem('native').bytesReadable(master.fd) > 0)
    expect(hasEnded).toBe(false)
    expect(await textOf(master)).toBe(`${'x'.repeat(500_000)}\r\n`)
    await child.exited
  })

  it('gives back-pressure: a paused reader stops the program', async () => {
    const { slave, master } = openPty()
    const child = await launch('python3', ['-c', 'print("x" * 2_000_000)'], {
      trace: false,
      stdio: [slave, slave, slave],
    })
    let bytes = 0
    master.on('data', chunk => {
      bytes += chunk.length
      master.pause()
      setTimeout(() => master.resume(), bytes < 200_000 ? 2 : 0)
    })
    await new Promise(resolve => master.once('close', resolve))
    expect(bytes).toBe(2_000_002)
    await child.exited
  })
})

describeNative("a terminal's end", () => {
  it('loses nothing of what a program prints at its end, 30 times', async () => {
    const payload = 'hello'.repeat(4096)
    for (let i = 0; i < 30; i++) {
      const { slave, master } = openPty()
      const child = await launch('/bin/echo', ['-n', payload], { trace: false, stdio: [slave, slave, slave] })
      const [text, exit] = await Promise.all([textOf(master), child.exited])
      expect(exit).toMatchObject({ code: 0 })
      expect(text.length).toBe(payload.length)
    }
  })

  it('is an end, no error, and so is a write after it', async () => {
    const { child, pty, typist } = await onTerminal('/bin/sh', ['-c', 'echo bye'])
    const errors: unknown[] = []
    pty.master.on('error', error => errors.push(error))
    await child.exited
    pty.master.write('too late\n')
    pty.master.end('and last')
    await typist.closed()
    expect(typist.text).toMatch(/^bye\r\n/)
    expect(errors).toEqual([])
    expect(pty.master.readableEnded).toBe(true)
  })

  it('comes after the output of a program that was killed', async () => {
    const { child, typist } = await onTerminal('/bin/sh', ['-c', 'echo up; kill -9 $$'])
    await typist.closed()
    expect(typist.text).toBe('up\r\n')
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' })
  })

  it('comes for a traced program, too', async () => {
    const { master, slave } = openPty()
    const tracee = await launch('/bin/echo', ['traced'], { stdio: [slave, slave, slave], controllingTerminal: slave })
    await tracee.run()
    expect(await textOf(master)).toBe('traced\r\n')
  })

  it('by close() hangs the programs up', async () => {
    const { child, pty, typist } = await onTerminal('/bin/sh', ['-c', 'echo up; exec sleep 1000'])
    await typist.sees(/up/)
    pty.close()
    expect(await child.exited).toMatchObject({ signal: 'SIGHUP' })
  })

  it('keeps the event loop no longer', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { openPty } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)})
      const { master, slave } = openPty()
      await launch('/bin/echo', ['hi'], { trace: false, stdio: [slave, slave, slave] })
      master.on('data', chunk => fs.writeSync(1, chunk))
      const idle = openPty()
      idle.master.resume().unref()`)
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'hi\r\n', stderr: '' })
  })
})

describeNative('typing', () => {
  it('a large paste waits for room, and all of it arrives', async () => {
    const script = 'stty raw -echo; echo go; sleep 0.1; head -c 1000000 | cksum'
    const { child, typist, pty } = await onTerminal('/bin/sh', ['-c', script])
    await typist.sees(/go/)
    const paste = Buffer.alloc(1_000_000, 'a line of text\n')
    const written = new Promise(resolve => pty.master.write(paste, resolve))
    expect(pty.master.writableNeedDrain).toBe(true)
    await written
    await typist.closed()
    const { stdout } = await launchToEnd('cksum', paste)
    expect(typist.text).toContain(stdout.trim())
    await child.exited
  })

  it('that nothing reads is dropped with the terminal', async () => {
    const { child, pty, typist } = await onTerminal('/bin/sh', ['-c', 'stty raw -echo; echo go; exec sleep 1000'])
    // Before it is raw, the terminal drops what is too long for a line.
    await typist.sees(/go/)
    const failed = new Promise<Error | null | undefined>(resolve => pty.master.write(Buffer.alloc(1_000_000), resolve))
    child.kill('SIGKILL')
    await child.exited
    expect(await failed).toMatchObject({ code: 'ERR_STREAM_DESTROYED' })
  })
})

async function launchToEnd(file: string, input: Buffer) {
  const child = await launch(file, [], { trace: false })
  child.stdin.end(input)
  return { stdout: await textOf(child.stdout) }
}

describe('a terminal in the simulated system', () => {
  it('is refused as on a Linux without devpts', () => {
    const error = thrown(() => openPty({ system: new SimulatedKernel().host }))
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'openpty', path: '/dev/ptmx' })
    expect(error.message).toContain('the simulated system has no terminals')
  })
})
