/** Launches from a process whose standard descriptors are closed or non-blocking. */

import { closeSync, existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { describeNative } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'

const builds = existsSync('dist/index.js')

describeNative('a process without one of its standard descriptors', () => {
  it.for([0, 1, 2])('launches with descriptor %i closed, and keeps its own above', async (fd, { skip }) => {
    if (!builds || whyNot('true') !== undefined) skip()
    const ran = await runNode(
      `
      fs.closeSync(${fd})
      const isClosed = () => { try { fs.fstatSync(${fd}); return false } catch { return true } }
      const child = await launch('/bin/sh', ['-c', 'cat; echo err >&2'], { trace: false })
      const open = isClosed()
      const ends = child.stdio.map(stream => stream.fd > 2)
      child.stdin.end('in')
      const textOf = async stream => { let text = ''; for await (const chunk of stream) text += chunk; return text }
      const text = (await Promise.all([textOf(child.stdout), textOf(child.stderr)])).join('')
      const channel = Channel.open()
      ends.push(channel.readFd > 2, channel.writeFd > 2)
      channel.close()
      const inherits = await outcome(launch('/bin/true', [], { stdio: [0, 1, 2].map(own => own === ${fd} ? 'inherit' : 'pipe') }))
      const { code } = await child.exited
      fs.writeSync(${fd === 1 ? 2 : 1}, JSON.stringify({ code, text, open, ends, closed: isClosed(), inherits }) + '\\n')
      process.exit(0)`,
    )
    const answer = JSON.parse((fd === 1 ? ran.stderr : ran.stdout).trim().split('\n').at(-1) ?? '')
    expect(answer).toMatchObject({
      code: 0,
      text: 'inerr\n',
      open: true,
      closed: true,
      inherits: {
        code: 'EBADF',
        step: 'dup2',
        message: expect.stringContaining(`descriptor ${fd}, which is not open`),
      },
    })
    expect(answer.ends).not.toContain(false)
  })

  it('gives the child what was asked for with all three closed', async ({ skip }) => {
    if (!builds || whyNot('true') !== undefined) skip()
    const ran = await runNode(`
      const out = openSystem('native').dup(1)
      for (const fd of [0, 1, 2]) fs.closeSync(fd)
      const child = await launch('/bin/sh', ['-c', 'readlink /proc/self/fd/0; cat /proc/self/fdinfo/1 | head -c 3'], { stdio: ['ignore', 'pipe', 'ignore'], trace: false })
      let text = ''
      for await (const chunk of child.stdout) text += chunk
      await child.exited
      fs.writeSync(out, JSON.stringify(text) + '\\n')
      process.exit(0)`)
    expect(ran.reports).toEqual(['/dev/null\npos'])
  })

  it('refuses a closed descriptor whose number a pipe of the launch would get', async ({ skip }) => {
    if (!builds || whyNot('true') !== undefined) skip()
    const ran = await runNode(`
      const next = fs.openSync('/dev/null', 'r')
      fs.closeSync(next)
      report(await outcome(launch('/bin/true', [], { stdio: ['pipe', 'pipe', next] })))`)
    expect(ran.reports).toMatchObject([{ code: 'EBADF', step: 'dup2' }])
  })
})

describeNative('standard descriptors of a child', system => {
  const isNonBlocking = (flags: string) => (Number.parseInt(/flags:\s*(\d+)/.exec(flags)?.[1] ?? '', 8) & 0o4000) !== 0
  const line = 'cat /proc/$$/fdinfo/0 >&3; cat /proc/$$/fdinfo/4 >&3'

  it.for(['before the launch', 'while the child is held'])(
    'are blocking though they were made non-blocking %s; those above stay as they are',
    async (when, { skip }) => {
      if (!builds || whyNot('true') !== undefined) skip()
      const ran = await runNode(`
        const system = openSystem('native')
        const { F_GETFL, F_SETFL, O_NONBLOCK, O_CLOEXEC } = constants
        const [r, w] = system.pipe2(O_CLOEXEC)
        const [r2, w2] = system.pipe2(O_CLOEXEC)
        const make = () => { for (const fd of [r, r2]) system.fcntl(fd, F_SETFL, system.fcntl(fd, F_GETFL) | O_NONBLOCK) }
        const held = ${JSON.stringify(when)} !== 'before the launch'
        if (!held) make()
        const options = { stdio: [r, 'ignore', 'ignore', 'pipe', r2], trace: false, ...(held && { beforeExec: make }) }
        const child = await launch('/bin/sh', ['-c', ${JSON.stringify(line)}], options)
        let text = ''
        for await (const chunk of child.stdio[3]) text += chunk
        report(text.split('flags').slice(1).map(part => 'flags' + part))`)
      const [flags] = ran.reports as [string[]]
      expect(flags.map(isNonBlocking)).toEqual([false, true])
    },
  )

  it('a descriptor given twice is blocking in the child, and so here', async () => {
    const { launch } = await import('../../../lib/launch/launch.ts')
    const { constants } = await import('../../../lib/system/constants.ts')
    const [r, w] = system.pipe2(constants.O_CLOEXEC | constants.O_NONBLOCK)
    await using child = await launch('/bin/true', [], { stdio: [r, w, w], trace: false })
    await child.exited
    expect(system.fcntl(r, constants.F_GETFL) & constants.O_NONBLOCK).toBe(0)
    for (const fd of [r, w]) closeSync(fd)
  })
})
