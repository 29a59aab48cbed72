/** The option `ready`: how programs say that they are ready, in each language of docs/readiness.md. */

import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { rejection } from '../../contract/helpers.ts'
import { compileSource, whyNoCompiler } from '../../support/c-program.ts'
import { blocks } from '../../support/pages.ts'
import { describeNative } from '../support/native.ts'
import { plain } from '../support/ready.ts'

describeNative("the child's side", () => {
  it('in Node is a write to the descriptor, or a Channel of it', async () => {
    const script = `
      const fs = require('node:fs')
      fs.writeSync(Number(process.env.NOTIFICATION_FD), '\\n')
      import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}).then(({ Channel }) => {
        const channel = Channel.fromFds({ write: 3 })
        channel.notify()
        channel.notify()
        channel.close()
      })`
    const channel = Channel.open()
    const child = await launch(process.execPath, ['-e', script], {
      trace: false,
      stdio: ['ignore', 'inherit', 'inherit', channel],
      ready: 'notification-fd',
      env: process.env,
    })
    await child.ready
    await channel.wait()
    await channel.wait()
    expect(await rejection(channel.wait())).toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    channel.close()
    expect(await child.exited).toMatchObject({ code: 0 })
  })
})

describeNative('the programs in docs/readiness.md', () => {
  const [sh] = blocks('docs/readiness.md', 'sh')
  const [python] = blocks('docs/readiness.md', 'python')
  const [javascript] = blocks('docs/readiness.md', 'javascript')
  const [c, withLibsystemd] = blocks('docs/readiness.md', 'c')

  it('say that they are ready', async () => {
    for (const [file, ...args] of [
      ['/bin/sh', '-c', sh!],
      ['python3', '-c', python!],
      [process.execPath, '--input-type=module', '-e', javascript!],
    ] as const) {
      const child = await launch(file, args, { ...plain, trace: false, ready: 'notification-fd' })
      await child.ready
      await child.exited
    }
  })

  it.skipIf(whyNoCompiler !== undefined)('say so in C', async () => {
    const child = await launch(compileSource('ready', c!, ['-Wno-unused-result']), [], {
      ...plain,
      trace: false,
      ready: 'notification-fd',
    })
    await child.ready
    await child.exited
  })

  it.skipIf(whyNoCompiler !== undefined || !existsSync('/usr/include/systemd/sd-daemon.h'))(
    'say so in C, by libsystemd',
    async () => {
      const program = compileSource('ready-sd', withLibsystemd!, ['-lsystemd'])
      const child = await launch(program, [], { ...plain, trace: false, ready: 'sd_notify' })
      await child.ready
      expect(await child.exited).toMatchObject({ code: 0 })
    },
  )
})
