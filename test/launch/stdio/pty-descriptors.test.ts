/** The descriptors of a terminal: which there are, where they stand, and what closes them. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { openPty } from '../../../lib/launch/stdio/pty.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import { rejection, thrown } from '../../contract/helpers.ts'
import { openDescriptors } from '../../support/process-table.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { onTerminal } from '../support/screen.ts'

describeNative('the descriptors of a terminal', () => {
  it('are closed by its end, by close(), by `using`, and by a launch that ends', async () => {
    // The first stream of this environment opens its epoll, which stays.
    const first = await onTerminal('/bin/true', [])
    await Promise.all([first.typist.closed(), first.child.exited])
    const before = openDescriptors().size
    const { child, typist } = await onTerminal('/bin/true', [])
    await typist.closed()
    await child.exited
    openPty().close()
    {
      using _pty = openPty()
    }
    const pty = openPty()
    pty.slave[Symbol.dispose]()
    pty.master.destroy()
    expect(openDescriptors().size).toBe(before)
  })

  it('are no descriptors of other children: neither master nor slave, nor anything else', async () => {
    using other = openPty()
    expect(other.master.fd).toBeGreaterThan(2)
    const { child, typist } = await onTerminal('/bin/sh', ['-c', 'for fd in /proc/$$/fd/*; do readlink $fd; done'])
    await typist.closed()
    await child.exited
    const lines = typist.text.trim().split('\r\n')
    expect(lines.filter(line => line.startsWith('/dev/pts/'))).toHaveLength(3)
    expect(new Set(lines.filter(line => !line.startsWith('/proc/'))).size).toBe(1)
  })

  it('are closed where the terminal cannot be made of them', () => {
    const before = openDescriptors().size
    const refused = new SystemError({ errno: 'EPERM', syscall: 'fcntl' })
    const system = withCalls(openSystem('native'), {
      fcntl() {
        throw refused
      },
    })
    expect(thrown(() => openPty({ system }))).toBe(refused)
    expect(openDescriptors().size).toBe(before)
  })

  it('are those of its System alone', async () => {
    using pty = openPty()
    const system = withCalls(openSystem('native'), {})
    const error = await rejection(launch('/bin/true', [], { system, stdio: [pty.slave] }))
    expect(error.message).toContain("'options.stdio[0]' must be of the System of the launch")
  })

  it('stand above the standard ones where those are closed', async () => {
    const { reports, stderr } = await runNode(
      `
      const { openPty } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)})
      const pty = openPty()
      report([pty.master.fd > 2, pty.slave.fd > 2])
      const { master, slave } = pty
      const child = await launch('/bin/sh', ['-c', 'read x; echo got $x'], { trace: false, stdio: [slave, slave, slave], controllingTerminal: slave })
      let text = ''
      master.on('data', chunk => { text += chunk })
      master.write('it\\n')
      await once(master, 'close')
      report(text)`,
      { behind: ['/bin/sh', '-c', 'exec "$@" <&-', 'sh'] },
    )
    expect({ reports, stderr }).toEqual({ reports: [[true, true], 'it\r\ngot it\r\n'], stderr: '' })
  })

  it.skipIf(whyNoOrdinaryUser !== undefined)('are those of an ordinary user, too', async () => {
    const { reports, stderr } = await runNode(
      `
      const { openPty } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)})
      const { master, slave } = openPty()
      const child = await launch('/bin/sh', ['-c', 'test -w $(tty) && echo mine > /dev/tty'], { trace: false, stdio: [slave, slave, slave], controllingTerminal: slave })
      let text = ''
      master.on('data', chunk => { text += chunk })
      await once(master, 'close')
      report(text)`,
      asNobody === undefined ? {} : { behind: asNobody },
    )
    expect({ reports, stderr }).toEqual({ reports: ['mine\r\n'], stderr: '' })
  })

  it('of a worker end with it', async () => {
    const { reports, stderr } = await runNode(`
      const { Worker } = await import('node:worker_threads')
      const worker = new Worker(\`
        import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}).then(async ({ launch, openPty }) => {
          const { parentPort } = await import('node:worker_threads')
          const { master, slave } = openPty()
          await launch('/bin/echo', ['hi'], { trace: false, stdio: [slave, slave, slave], controllingTerminal: slave })
          let text = ''
          master.on('data', chunk => { text += chunk })
          master.on('close', () => {
            globalThis.kept = openPty()
            parentPort.postMessage(text)
          })
          setInterval(() => {}, 1000)
        })\`, { eval: true })
      report((await once(worker, 'message'))[0])
      await worker.terminate()
      report(descriptors().filter(([, target]) => /ptmx|pts/.test(target)).length)`)
    expect({ reports, stderr }).toEqual({ reports: ['hi\r\n', 0], stderr: '' })
  })

  it('that are forgotten are closed with a warning', async () => {
    const { stderr, stdout } = await runNode(
      `
      const { openPty } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)})
      ;(() => { openPty() })()
      for (let i = 0; i < 1000 && descriptors().some(([, target]) => /ptmx|pts/.test(target)); i++) {
        globalThis.gc()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      report(descriptors().filter(([, target]) => /ptmx|pts/.test(target)).length)`,
      { flags: ['--expose-gc'] },
    )
    expect(stdout).toBe('0\n')
    expect(stderr).toMatch(/\(master of a terminal\) was collected without being closed/)
    expect(stderr).toMatch(/\(slave of a terminal\) was collected without being closed/)
  })
})

describeNative('a reader of a terminal', () => {
  it('that throws at its end leaves nothing open', async () => {
    const { code, stdout } = await runNode(`
      const { openPty } = await import(${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)})
      process.on('uncaughtException', error => report(error.message))
      const { master, slave } = openPty()
      await launch('/bin/true', [], { trace: false, stdio: [slave, slave, slave] })
      master.resume().on('end', () => { throw new Error('of the listener') })
      while (master.fd !== -1) await new Promise(resolve => setTimeout(resolve, 1))
      report(master.fd)`)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"of the listener"\n-1\n' })
  })
})
