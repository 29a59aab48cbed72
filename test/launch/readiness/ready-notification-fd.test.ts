/** The option `ready`: s6's notification descriptor. */

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { constants } from '../../../lib/system/constants.ts'
import { NotReadyError, SystemError } from '../../../lib/system/errors.ts'
import { rejection } from '../../contract/helpers.ts'
import { openDescriptors } from '../../support/process-table.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { whyNot } from '../support/node.ts'
import { shell } from '../support/ready.ts'
import { textOf } from '../support/streams.ts'

describeNative('a notification descriptor', () => {
  const ready = 'notification-fd'

  it('is the first one beyond those of stdio, and its newline resolves ready', async () => {
    const child = await launch('/bin/sh', ['-c', 'echo $NOTIFICATION_FD; ls -l /proc/self/fd/; echo >&3; cat'], {
      trace: false,
      stdio: ['pipe', 'pipe', 'inherit'],
      ready,
    })
    await child.ready
    child.stdin.end()
    const text = await textOf(child.stdout)
    expect(text).toMatch(/^3\n/)
    expect(text).toMatch(/ 3 -> pipe:/)
    // And one of the listing itself.
    expect(text.match(/ \d+ -> /g)).toHaveLength(5)
    const other = await launch('/bin/sh', ['-c', 'echo >&$NOTIFICATION_FD; exec cat'], {
      trace: false,
      stdio: ['pipe', 'ignore', 'inherit', 'ignore', 'pipe'],
      ready,
    })
    await other.ready
    other.stdin.end()
    await other.exited
  })

  it('that cannot be made blocking is closed, and the launch rejects', async () => {
    const before = openDescriptors().size
    const system = withCalls(openSystem('native'), {
      fcntl() {
        throw new SystemError({ errno: 'EPERM', syscall: 'fcntl' })
      },
    })
    const launching = launch('/bin/true', [], { trace: false, stdio: 'ignore', ready, system })
    expect(await rejection(launching)).toMatchObject({ code: 'EPERM', step: 'fcntl' })
    expect(openDescriptors().size).toBe(before)
  })

  it('may be written more than once, and only a newline counts', async () => {
    const child = await shell(
      'printf starting >&3; sleep 0.05; printf "up\\n" >&3; echo more >&3; sleep 0.05; exit 7',
      { ready },
    )
    let isReady = false
    await child.ready.then(() => {
      isReady = true
    })
    expect(isReady).toBe(true)
    // SIGPIPE or EPIPE would have ended it.
    expect(await child.exited).toMatchObject({ code: 7 })
    expect(child.status).toBeNull()
  })

  it('that is closed without a newline rejects, while the child lives on', async () => {
    const child = await launch('/bin/sh', ['-c', 'exec 3>&-; cat'], {
      trace: false,
      stdio: ['pipe', 'ignore', 'ignore'],
      ready,
    })
    const error = await rejection(child.ready)
    expect(error).toBeInstanceOf(NotReadyError)
    expect(error).toMatchObject({ code: 'ERR_NOT_READY', pid: child.pid, status: null })
    expect(error.message).toMatch(/has closed its notification descriptor before it was ready$/)
    child.stdin.end()
    await child.exited
  })

  it('replaces a variable of that name', async () => {
    const env = { PATH: process.env.PATH, NOTIFICATION_FD: '99' }
    const child = await shell('echo >&$NOTIFICATION_FD', { ready, env })
    await child.ready
    await child.exited
  })

  it('is blocking for the program', async () => {
    const child = await launch('/bin/sh', ['-c', 'grep flags /proc/self/fdinfo/3; echo >&3'], {
      trace: false,
      stdio: ['ignore', 'pipe', 'inherit'],
      ready,
    })
    const flags = /^flags:\s+(\d+)\n$/.exec(await textOf(child.stdout))![1]!
    expect(Number.parseInt(flags, 8) & constants.O_NONBLOCK).toBe(0)
    await child.ready
  })
})

describeNative("s6's tools", () => {
  const ready = 'notification-fd'
  const s6 = (name: string) => it.skipIf(whyNot(name) !== undefined)
  const inFolder = async (body: (folder: string) => Promise<void>) => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
    try {
      await body(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  s6('s6-ipcserver')('s6-ipcserver is ready once its socket is there', () =>
    inFolder(async folder => {
      const child = await shell(`exec s6-ipcserver -1 ${folder}/socket true >&$NOTIFICATION_FD`, { ready })
      await child.ready
      expect(existsSync(`${folder}/socket`)).toBe(true)
      await child.terminate()
    }),
  )

  s6('s6-svscan')('s6-svscan is ready once it supervises', () =>
    inFolder(async folder => {
      mkdirSync(`${folder}/scan`)
      const child = await shell(`exec s6-svscan -d $NOTIFICATION_FD ${folder}/scan`, { ready })
      await child.ready
      expect(existsSync(`${folder}/scan/.s6-svscan/control`)).toBe(true)
      await child.terminate()
    }),
  )

  s6('s6-log')('s6-log is ready once it logs', () =>
    inFolder(async folder => {
      const child = await launch('/bin/sh', ['-c', `exec s6-log -d 3 ${folder}/log`], {
        trace: false,
        stdio: ['pipe', 'ignore', 'inherit'],
        ready,
      })
      await child.ready
      expect(existsSync(`${folder}/log/current`)).toBe(true)
      child.stdin.end()
      expect(await child.exited).toMatchObject({ code: 0 })
    }),
  )
})
