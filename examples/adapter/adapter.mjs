// A debug adapter whose program runs in the user's terminal, held there until gdb has it.
//
//   node examples/adapter/adapter.mjs     speaks the Debug Adapter Protocol on its standard input and output
//
// A launch request has a program and its args. The adapter opens a Rendezvous, has the editor run the command in a
// terminal, and attaches gdb to what is held there: see launch() below. The rest is as in any adapter.

import { once } from 'node:events'
import { Rendezvous } from 'tracegate'
import { Gdb } from './gdb.mjs'
import { messagesFrom, send } from './messages.mjs'

const thread = { id: 1, name: 'main' }

/** @typedef {import('./messages.mjs').Message} Message */

let count = 0
/** @type {Map<number, { resolve(body: unknown): void, reject(error: Error): void }>} */
const asked = new Map()
/** @type {Rendezvous | undefined} */
let rendezvous
/** @type {import('tracegate').Held | undefined} */
let held
/** @type {Gdb | undefined} */
let gdb

/** @param {string} name @param {unknown} [body] */
const event = (name, body) => send(process.stdout, { seq: ++count, type: 'event', event: name, body })

/** Asks the editor. @param {string} command @param {unknown} args */
function request(command, args) {
  const seq = ++count
  send(process.stdout, { seq, type: 'request', command, arguments: args })
  return new Promise((resolve, reject) => asked.set(seq, { resolve, reject }))
}

/**
 * Starts the program in the user's terminal, and stops it before its first instruction, under gdb.
 *
 * @param {Message} request
 */
async function launch({ program, args = [], cwd = process.cwd() }) {
  rendezvous = await Rendezvous.open({ timeoutMs: 30_000 })
  const command = rendezvous.command(program, args)
  await request('runInTerminal', { kind: 'integrated', title: program, cwd, args: command })
  held = await rendezvous.held // rejects where the program cannot be started: ENOENT, and its path
  await held.attach()
  gdb = new Gdb()
  // Else gdb would take no command, not even its exit, while the program runs.
  await gdb.do('-gdb-set mi-async on')
  await gdb.do('-interpreter-exec console "handle SIGSTOP nostop noprint nopass"')
  const stopped = once(gdb, 'stopped')
  await gdb.do(`-target-attach ${held.pid}`)
  await stopped
  gdb.on('stopped', onStop)
  event('process', { name: program, systemProcessId: held.pid, startMethod: 'launch' })
  event('initialized')
}

/** @param {import('./gdb.mjs').Fields} stop */
function onStop({ reason }) {
  if (reason?.startsWith('exited')) return void end()
  event('stopped', { reason: reason === 'breakpoint-hit' ? 'function breakpoint' : 'pause', threadId: thread.id })
}

/** Reports the program's end, as the command in the terminal does: the program may outlive gdb. */
async function end() {
  if (held === undefined) return
  const { code, signal } = await held.exited
  event('exited', { exitCode: code ?? 128, signal })
  event('terminated')
}

/** @type {Record<string, (args: Message) => unknown>} */
const handlers = {
  initialize: () => ({ supportsConfigurationDoneRequest: true, supportsFunctionBreakpoints: true }),
  launch,
  async setFunctionBreakpoints({ breakpoints }) {
    for (const { name } of breakpoints) await gdb?.do(`-break-insert ${name}`)
    return { breakpoints: breakpoints.map((/** @type {unknown} */ _) => ({ verified: true })) }
  },
  configurationDone: () => void gdb?.do('-exec-continue').catch(() => {}),
  threads: () => ({ threads: [thread] }),
  async evaluate({ expression }) {
    const fields = await gdb?.do(`-data-evaluate-expression ${JSON.stringify(expression)}`)
    return { result: fields?.value, variablesReference: 0 }
  },
  continue: () => void gdb?.do('-exec-continue').catch(() => {}),
  async disconnect() {
    await gdb?.end()
    await rendezvous?.close()
  },
}

/** Answers one request of the editor. @param {Message} request */
async function answer({ seq, command, arguments: args = {} }) {
  const response = { type: 'response', request_seq: seq, command }
  try {
    if (!Object.hasOwn(handlers, command)) throw new Error(`no request ${command}`)
    const body = await handlers[command]?.(args)
    send(process.stdout, { ...response, seq: ++count, success: true, body })
  } catch (error) {
    await rendezvous?.close()
    send(process.stdout, {
      ...response,
      seq: ++count,
      success: false,
      message: error instanceof Error ? error.message : String(error),
    })
  }
}

for await (const message of messagesFrom(process.stdin)) {
  if (message.type === 'request') void answer(message)
  else if (message.type === 'response') {
    const { resolve, reject } = asked.get(message.request_seq) ?? {}
    if (message.success) resolve?.(message.body)
    else reject?.(new Error(message.message))
  }
}
// The editor has gone.
await handlers.disconnect?.({})
