/** `tracegate hold --report` to the socket or FIFO of another user, in a folder where every user may make one. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { asNobody, whyNoOrdinaryUser } from '../launch/support/node.ts'
import { describeNative } from '../support/describe-native.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { script, startProgram } from './command.ts'

const root = temporaryFolder()
chmodSync(root, 0o755)
const folder = join(root, 'shared')
mkdirSync(folder)
chmodSync(folder, 0o1777)

const obstacle = whyNoOrdinaryUser ?? (asNobody === undefined ? 'only root can be several users' : undefined)

const as = (user: number) => (user === 0 ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'])

/** An adapter that lets its program go, and prints what it hears. */
const adapter = `
const path = process.argv[1]
const server = require('node:net').createServer(socket => {
  server.close()
  socket.on('data', bytes => String(bytes).includes('"held"') && socket.write('{"kind":"release"}\\n'))
  socket.pipe(process.stdout)
})
server.listen(path, () => {
  require('node:fs').chmodSync(path, 0o777)
  console.log('listening')
})
`

let count = 0

/** Holds a program as one user for an adapter that is another's. */
async function heldFor(listener: number, user: number, env: NodeJS.ProcessEnv = {}) {
  const path = join(folder, `socket-${count++}`)
  const [command, ...args] = [...as(listener), process.execPath, '-e', adapter, path]
  const listening = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(listening.stdout, 'readable')
  const heard = text(listening.stdout)
  const words = ['hold', '--report', `unix:${path}`, '--', '/bin/sh', '-c', 'echo ran']
  const [file, ...rest] = [...as(user), script, ...words]
  const finished = await startProgram(file!, rest, { env: { ...process.env, SUDO_UID: undefined, ...env } }).finished
  const lines = (await heard).split('\n').slice(1, -1)
  return { ...finished, path, heard: lines.map(line => JSON.parse(line) as { kind: string; message?: string }) }
}

describeNative(
  'an adapter of another user',
  () => {
    it.each([
      [65_534, 0],
      [65_534, 1],
    ])('%i is refused by the command of user %i, and gets to know it', async (listener, user) => {
      const { status, stdout, stderr, path, heard } = await heldFor(listener, user)
      const message = `cannot trust the adapter at '${path}': it belongs to user ${listener}, and this command to user ${user}`
      expect({ status, stdout, stderr }).toEqual({ status: 125, stdout: '', stderr: `tracegate: ${message}\n` })
      expect(heard).toEqual([{ kind: 'error', step: null, code: 'EACCES', path, message }])
    })

    it.each([
      ['root’s', 0, 65_534, {}],
      ['of its own', 65_534, 65_534, {}],
      ['of the user who runs sudo', 65_534, 0, { SUDO_UID: '65534' }],
    ] as const)('is heard where it is %s', async (_, listener, user, env) => {
      const { status, stdout, heard } = await heldFor(listener, user, env)
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'ran\n' })
      expect(heard.map(({ kind }) => kind)).toEqual(['held', 'exited'])
    })

    it('is none because an ordinary user names another in SUDO_UID', async () => {
      const { status, stderr } = await heldFor(65_534, 1, { SUDO_UID: '65534' })
      expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringContaining('cannot trust the adapter') })
    })

    it('may not be the owner of the FIFO either', async () => {
      const path = join(folder, 'fifo')
      const [command, ...args] = [...as(65_534), 'mkfifo', path]
      await once(spawn(command!, args, { stdio: 'ignore' }), 'close')
      const words = ['hold', '--report', `fifo:${path}`, '--timeout', '0.2', '--', '/bin/echo', 'ran']
      expect(await startProgram(script, words).finished).toMatchObject({
        status: 125,
        stdout: '',
        stderr: `tracegate: cannot report to '${path}': it belongs to user 65534, and this command to user 0\n`,
      })
    })
  },
  obstacle,
)
