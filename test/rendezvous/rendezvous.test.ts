import { existsSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Rendezvous, type RendezvousOptions } from '../../lib/index.ts'
import { encodeMessage } from '../../lib/rendezvous/protocol.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { aProgram, socketOf, starterOf, withRendezvous } from './meeting.ts'

const folder = temporaryFolder()

describe('Rendezvous', () => {
  it('has its socket in a folder that only its user can enter', () =>
    withRendezvous(async rendezvous => {
      expect(statSync(dirname(socketOf(rendezvous))).mode & 0o777).toBe(0o700)
    }))

  it('says what a program is held, and leaves no file once one is', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say(aProgram)
      expect(await rendezvous.held).toMatchObject({ pid: 7, startTime: 99, tty: null, program: '/bin/x' })
      await expect.poll(() => existsSync(socketOf(rendezvous))).toBe(false)
      starter.socket.destroy()
    }))

  it('asks to attach once, and resolves when the program is there', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say(aProgram)
      const held = await rendezvous.held
      const attached = Promise.all([held.attach(), held.attach()])
      await expect.poll(starter.heard).toBe('{"kind":"attach"}\n')
      starter.say({ kind: 'attachable' })
      await attached
      starter.say({ kind: 'exited', code: null, signal: 'SIGTERM' })
      expect(await held.exited).toEqual({ code: null, signal: 'SIGTERM' })
      starter.socket.end()
      await starter.closed
      expect(starter.heard()).toBe('{"kind":"attach"}\n')
    }))

  it('refuses attach() after release()', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say(aProgram)
      const held = await rendezvous.held
      await held.release()
      await held.release()
      await expect(held.attach()).rejects.toMatchObject({ code: 'ESRCH', pid: 7 })
      starter.socket.end()
      await starter.closed
      expect(starter.heard()).toBe('{"kind":"release"}\n')
    }))

  it('says no more that the program has not run once it was let go and has ended', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say(aProgram)
      const held = await rendezvous.held
      const attached = held.attach()
      starter.say({ kind: 'attachable' })
      await attached
      starter.say({ kind: 'exited', code: 7, signal: null })
      expect(await held.exited).toEqual({ code: 7, signal: null })
      await held.attach()
      await expect(held.release()).rejects.toMatchObject({ code: 'ESRCH', pid: 7 })
      starter.socket.end()
      await starter.closed
    }))

  it('rejects attach() when the program was killed before it could be left', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say(aProgram)
      const held = await rendezvous.held
      const attached = held.attach()
      starter.say({ kind: 'exited', code: null, signal: 'SIGKILL' })
      await expect(attached).rejects.toMatchObject({ code: 'ERR_CHILD_DIED', status: { signal: 'SIGKILL' } })
      await expect(held.release()).rejects.toMatchObject({ code: 'ERR_CHILD_DIED' })
      // One that nothing awaits is no unhandled rejection, which would fail this test.
      void held.release()
      await held.abort()
      starter.socket.destroy()
    }))

  it('rejects with ERR_CHANNEL_CLOSED what a command that has gone cannot answer', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say(aProgram)
      const held = await rendezvous.held
      const attached = held.attach()
      starter.socket.destroy()
      await expect(attached).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
      await expect(held.exited).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    }))

  it('rejects held with ERR_CHANNEL_CLOSED when the only command goes without a word', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.socket.end()
      await expect(rendezvous.held).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    }))

  it('rejects held when the program was killed before it was held', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say({ kind: 'exited', code: null, signal: 'SIGKILL' })
      starter.socket.end()
      await expect(rendezvous.held).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
      await starter.closed
    }))

  it('rejects held with ERR_CHANNEL_CLOSED when the only command goes in the middle of a message', () =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.socket.end(encodeMessage(aProgram).slice(0, -1))
      await expect(rendezvous.held).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    }))

  it('of two at once meet each its own program', async () => {
    await using first = await Rendezvous.open()
    await using second = await Rendezvous.open()
    const starters = await Promise.all([first, second].map(starterOf))
    starters[1]!.say({ ...aProgram, pid: 8 })
    starters[0]!.say(aProgram)
    const held = await Promise.all([first.held, second.held])
    expect(held.map(({ pid }) => pid)).toEqual([7, 8])
    await first.close()
    await expect(held[0]!.exited).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    starters[1]!.say({ kind: 'exited', code: 3, signal: null })
    expect(await held[1]!.exited).toEqual({ code: 3, signal: null })
    starters[1]!.socket.destroy()
  })

  it('turns away a second program, and keeps the first', () =>
    withRendezvous(async rendezvous => {
      const [first, second] = await Promise.all([starterOf(rendezvous), starterOf(rendezvous)])
      first.say(aProgram)
      const held = await rendezvous.held
      await second.closed
      first.say({ kind: 'exited', code: 3, signal: null })
      expect(await held.exited).toEqual({ code: 3, signal: null })
      first.socket.destroy()
    }))

  it('drops a peer that speaks something else, and goes on waiting', () =>
    withRendezvous(async rendezvous => {
      const stranger = await starterOf(rendezvous)
      stranger.socket.write('GET / HTTP/1.1\r\n\r\n')
      await stranger.closed
      const starter = await starterOf(rendezvous)
      for (const byte of Buffer.from(encodeMessage(aProgram))) starter.socket.write(Buffer.of(byte))
      expect((await rendezvous.held).pid).toBe(7)
      starter.socket.destroy()
    }))

  it.each([
    [
      { step: 'execve', code: 'ENOENT', path: '/nope', message: 'ENOENT: no' },
      { errno: -2, syscall: 'execve' },
    ],
    [
      { step: 'chdir', code: 'EACCES', path: null, message: 'EACCES: no' },
      { errno: -13, step: 'chdir' },
    ],
    [{ step: null, code: 'ERR_TIMED_OUT', path: null, message: 'late' }, { code: 'ERR_TIMED_OUT' }],
    [{ step: null, code: null, path: null, message: 'other' }, { message: 'other' }],
  ])('rejects held with the error of a launch that failed: %j', (error, expected) =>
    withRendezvous(async rendezvous => {
      const starter = await starterOf(rendezvous)
      starter.say({ kind: 'error', ...error })
      await expect(rendezvous.held).rejects.toMatchObject({ message: error.message, ...expected })
      starter.socket.destroy()
    }),
  )

  it('uses another folder where the temporary one has a path too long for a socket', async () => {
    const before = process.env.TMPDIR
    process.env.TMPDIR = join(folder, 'x'.repeat(100))
    try {
      expect(tmpdir().length).toBeGreaterThan(100)
      await withRendezvous(async rendezvous => {
        expect(rendezvous.address).toMatch(/^unix:\/tmp\/tracegate-/)
      })
    } finally {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    }
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses bad arguments and unknown options by name', async () => {
    await expect(Rendezvous.open({ timeout: 5 } as RendezvousOptions)).rejects.toThrow("'options.timeout' is unknown")
    await expect(Rendezvous.open({ timeoutMs: '5' as unknown as number })).rejects.toThrow('options.timeoutMs')
    await withRendezvous(async rendezvous => {
      expect(() => rendezvous.command('a\0b')).toThrow('program')
      expect(() => rendezvous.command('')).toThrow('program')
      expect(() => rendezvous.command('a', [3 as unknown as string])).toThrow('args[0]')
      expect(() => rendezvous.command('a', [], { tracer: 0 })).toThrow('options.tracer')
      expect(() => rendezvous.command('a', [], { tracegate: [] })).toThrow('options.tracegate')
      expect(() => rendezvous.command('a', [], { detach: true } as object)).toThrow("'options.detach' is unknown")
    })
  })

  it('names the command that a terminal is to run', () =>
    withRendezvous(async rendezvous => {
      const options = { timeoutMs: 1500, tracer: 7, tracegate: ['node', 'x.js'] }
      expect(rendezvous.command('ls', ['-l', '--', 'x'], options)).toEqual([
        'node',
        'x.js',
        'hold',
        '--report',
        rendezvous.address,
        '--tracer',
        '7',
        '--timeout',
        '1.5',
        '--',
        'ls',
        '-l',
        '--',
        'x',
      ])
      const [file, ...words] = rendezvous.command('ls')
      expect(file).toMatch(/\/bin\/tracegate\.js$/)
      expect(words.join(' ')).toContain(`--tracer ${process.pid} -- ls`)
    }))
})
