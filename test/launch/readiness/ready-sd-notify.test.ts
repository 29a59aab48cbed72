/** The option `ready`: systemd's sd_notify(3). */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { rejection } from '../../contract/helpers.ts'
import { compileFixture, compileSource, whyNoCompiler } from '../../support/c-program.ts'
import { rounds } from '../../support/rounds.ts'
import { describeNative } from '../support/native.ts'
import { whyNoOrdinaryUser, whyNot } from '../support/node.ts'
import { notify, plain, shell } from '../support/ready.ts'

const itCompiles = it.skipIf(whyNoCompiler !== undefined)

describeNative('sd_notify', () => {
  const ready = 'sd_notify'
  const say = (...datagrams: string[]) => launch(compileFixture('notify'), datagrams, { ...plain, trace: false, ready })

  itCompiles('takes READY=1 among other lines, in one datagram or several; the last STATUS= counts', async () => {
    for (const datagrams of [
      ['READY=1'],
      ['STATUS=waking\nMAINPID=1', 'STATUS=up: a=b\nREADY=1\n'],
      ['EXTEND_TIMEOUT_USEC=1', 'READY=0', 'STATUS=up: a=b', 'X', '=', '', 'READY=1'],
    ]) {
      const child = await say(...datagrams)
      await child.ready
      await child.exited
      expect(child.status).toBe(datagrams.length === 1 ? null : 'up: a=b')
    }
  })

  itCompiles('rejects with what the program reported, where it ends before', async () => {
    const child = await say('STATUS=cannot bind', 'ERRNO=98')
    const error = await rejection(child.ready)
    expect(error).toMatchObject({ code: 'ERR_NOT_READY', errno: -98, status: { code: 0 } })
    expect(error.message).toMatch(/exited with 0 before it was ready; it reported EADDRINUSE: address already in use$/)
    expect(child.status).toBe('cannot bind')
    expect(await rejection((await say('ERRNO=none')).ready)).not.toHaveProperty('errno')
  })

  itCompiles('counts what a program says in its last moment', async () => {
    for (let i = 0; i < rounds(5, 40); i++) {
      const child = await say('READY=1')
      await child.exited
      await child.ready
    }
  })

  it.skipIf(process.getuid?.() !== 0 || whyNoOrdinaryUser !== undefined || !existsSync('/usr/bin/python3'))(
    'hears the child after it has become another user, and no stranger',
    async () => {
      const child = await launch(
        'python3',
        ['-c', `import os, socket\nos.setuid(65534)\n${notify('STATUS=nobody', 'READY=1')}`],
        {
          ...plain,
          trace: false,
          ready,
        },
      )
      await child.ready
      await child.exited
      expect(child.status).toBe('nobody')

      const victim = await launch('/bin/sh', ['-c', 'echo $NOTIFY_SOCKET; exec sleep 1000'], {
        trace: false,
        stdio: ['ignore', 'pipe', 'inherit'],
        ready,
      })
      const address = await new Promise<string>(resolve =>
        victim.stdout.once('data', chunk => resolve(String(chunk).trim())),
      )
      execFileSync(
        'setpriv',
        ['--reuid=65534', '--clear-groups', '/usr/bin/python3', '-c', notify('STATUS=forged', 'READY=1')],
        {
          env: { ...process.env, NOTIFY_SOCKET: address },
        },
      )
      expect(victim.status).toBeNull()
      await victim[Symbol.asyncDispose]()
      expect(await rejection(victim.ready)).toMatchObject({ code: 'ERR_NOT_READY' })
    },
  )

  it('is refused by name in a network namespace, which hides its socket', async () => {
    const error = await rejection(launch('/bin/true', [], { ready, namespaces: ['net'] }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(error.message).toContain("'options.ready' must be 'notification-fd' with a 'net' namespace")
  })

  it.skipIf(whyNot('systemd-notify') !== undefined)(
    'hears systemd-notify, which waits until it was heard',
    async () => {
      const child = await shell("systemd-notify --ready --status='all is well' && exec sleep 1000", { ready })
      await child.ready
      expect(child.status).toBe('all is well')
      await child.terminate()
    },
  )

  it.skipIf(whyNot('dbus-daemon') !== undefined)('hears dbus-daemon', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
    try {
      const address = `unix:path=${folder}/bus`
      const child = await launch('dbus-daemon', ['--session', '--nofork', '--nopidfile', `--address=${address}`], {
        ...plain,
        trace: false,
        ready,
      })
      const isReady = await child.ready.then(
        () => existsSync(`${folder}/bus`),
        () => 'this dbus-daemon was built without systemd',
      )
      expect([true, 'this dbus-daemon was built without systemd']).toContain(isReady)
      await child.terminate()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.skipIf(whyNoCompiler !== undefined || !existsSync('/usr/include/systemd/sd-daemon.h'))(
    'hears a C program that calls sd_notify(3)',
    async () => {
      const source = `#include <systemd/sd-daemon.h>
        #include <unistd.h>
        int main(void) {
          sd_notify(0, "STATUS=loading");
          if (sd_notify(0, "READY=1\\nSTATUS=serving") <= 0) return 1;
          pause();
        }`
      const child = await launch(compileSource('sd-notify', source, ['-lsystemd']), [], {
        ...plain,
        trace: false,
        ready,
      })
      await child.ready
      expect(child.status).toBe('serving')
      await child.terminate()
    },
  )
})
