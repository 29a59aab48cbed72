// The system calls of a program, with names, arguments and results: node strace.mjs [-f] [-o FILE] ls -l
//
// -f follows the processes that it starts; its threads are always shown. Strings and structures are shown by address.

import { createWriteStream } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { launch, syscallName } from 'tracegate'

/** @typedef {import('tracegate').TracedThread} TracedThread */
/** @typedef {import('tracegate').StopStatus} StopStatus */

const words = process.argv.slice(2)
let output = /** @type {NodeJS.WritableStream} */ (process.stderr)
let follow = /** @type {'threads' | 'all'} */ ('threads')
while (words[0]?.startsWith('-')) {
  const option = words.shift()
  if (option === '-f') follow = 'all'
  else if (option === '-o' && words.length > 0) output = createWriteStream(/** @type {string} */ (words.shift()))
  else throw new Error(`unknown option ${option}`)
}
const [program = '/bin/true', ...args] = words

/** The system call that each thread is in. @type {Map<TracedThread, string>} */
const entered = new Map()

/** Large values, such as pointers, in hexadecimal; small and small negative ones in decimal. @param {bigint} value */
function shown(value) {
  const signed = BigInt.asIntN(64, value)
  return signed > 0xffffn || signed < -4096n ? `0x${value.toString(16)}` : String(signed)
}

/** @param {TracedThread} thread @param {string} text */
function say(thread, text) {
  output.write(`${thread.tid} ${text}\n`)
}

/** @param {TracedThread} thread */
function showCall(thread) {
  const info = thread.syscallInfo()
  if (info.phase === 'entry') {
    const name = syscallName(info.number, info.architecture) ?? `syscall_${info.number}`
    entered.set(thread, `${name}(${info.args.map(shown).join(', ')})`)
  } else if (info.phase === 'exit') {
    const result = info.isError ? `-1 ${getSystemErrorName(Number(info.result))}` : shown(info.result)
    say(thread, `${entered.get(thread) ?? '...'} = ${result}`)
    entered.delete(thread)
  }
}

/** The line for a stop that is no system call. @param {TracedThread} thread @param {StopStatus} stop */
function showStop(thread, stop) {
  if (stop.event === undefined) say(thread, `--- ${stop.signal} ---`)
  else if (stop.reason === 'group') say(thread, `--- stopped by ${stop.signal} ---`)
}

const tracee = await launch(program, args, { stdio: 'inherit', follow })
const end = tracee.exited
for await (const { thread, stop } of tracee.everyStop()) {
  if (stop.event === 'syscall') showCall(thread)
  else showStop(thread, stop)
  if (stop.reason === 'group') thread.listen()
  else thread.syscall(stop.event === undefined ? stop.signal : undefined)
}
const { code, signal } = await end
for (const [thread, call] of entered) say(thread, `${call} = ?`)
output.write(signal === null ? `+++ exited with ${code} +++\n` : `+++ killed by ${signal} +++\n`)
process.exitCode = code ?? 1
