/** `foreground`, seen from the terminal: a child that takes it, and gives it back when it stops and ends. */

import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'
import { onTerminal } from '../support/screen.ts'

const entry = new URL('../../../dist/index.js', import.meta.url).href

/** A Node program that runs a job in the foreground of its terminal, and reads lines whenever it has the terminal. */
const parent = (trace: string) => `
import { launch } from ${JSON.stringify(entry)}
import fs from 'node:fs'
const say = text => fs.writeSync(1, text + '\\n')
const readLine = () => {
  const bytes = Buffer.alloc(100)
  return bytes.toString('utf8', 0, fs.readSync(0, bytes)).trim()
}
const foreground = () => Number(fs.readFileSync('/proc/self/stat', 'latin1').replace(/.*\\) /, '').split(' ')[5])
const has = pid => foreground() === pid
const stopped = pid => /^State:\\tT/m.test(fs.readFileSync('/proc/' + pid + '/status', 'latin1'))
const child = await launch('/bin/sh', ['-c', 'read x; echo "job got $x"; read y; echo "job got $y"; exit 5'], { stdio: 'inherit', trace: ${trace}, foreground: true })
if (child.run) void child.run()
say('job has it: ' + has(child.pid))
const settled = async holds => { while (!holds()) await new Promise(resolve => setTimeout(resolve, 2)) }
await settled(() => has(process.pid))
say('parent has it')
say('parent got ' + readLine())
say('stopped: ' + stopped(child.pid))
child.kill('SIGKILL')
const { signal } = await child.exited
say('ended: ' + signal)
const other = await launch('/bin/sh', ['-c', 'read x; echo "other got $x"; exit 5'], { stdio: 'inherit', trace: ${trace}, foreground: true })
if (other.run) void other.run()
say('other has it: ' + has(other.pid))
const { code } = await other.exited
say('code: ' + code + ', parent has it: ' + has(process.pid))
say('parent got ' + readLine())
`

describeNative('a child in the foreground', () => {
  it.skipIf(whyNot('true') !== undefined).each(['false', "'traceme'", "'seize'"])(
    'reads the terminal, and gives it back at its stop and at its end: trace %s',
    async trace => {
      const { child, pty, typist } = await onTerminal(process.execPath, ['--input-type=module', '-e', parent(trace)], {
        cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      })
      try {
        await typist.sees(/job has it: true/)
        typist.type('one\n')
        await typist.sees(/job got one\r\n/)
        typist.type('\x1a')
        await typist.sees(/parent has it\r\n/)
        typist.type('two\n')
        await typist.sees(/parent got two\r\n/)
        await typist.sees(/stopped: (true|false)/)
        await typist.sees(/ended: SIGKILL/)
        await typist.sees(/other has it: true/)
        typist.type('three\n')
        await typist.sees(/other got three\r\n/)
        await typist.sees(/code: 5, parent has it: true/)
        typist.type('four\n')
        await typist.sees(/parent got four\r\n/)
        expect(await child.exited).toMatchObject({ code: 0 })
        await typist.closed()
      } finally {
        await child[Symbol.asyncDispose]()
        pty.close()
      }
    },
  )
})
