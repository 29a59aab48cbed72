// gdb by its machine interface (MI): a command, its result, and the stops of the program.

import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'

/** @typedef {Record<string, string>} Fields */
/** @typedef {{ resolve(fields: Fields): void, reject(error: Error): void }} Waiting */

/** Emits 'stopped' with the fields of each stop. */
export class Gdb extends EventEmitter {
  #gdb
  #count = 0
  /** @type {Map<number, Waiting>} */
  #waiting = new Map()

  constructor() {
    super()
    // In a session of its own, gdb is none of the terminal's jobs.
    this.#gdb = spawn('gdb', ['-q', '-nx', '--interpreter=mi3'], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
    this.#gdb.on('error', error => this.#endWith(error))
    this.#gdb.on('exit', () => this.#endWith(new Error('gdb has ended')))
    // Its end is seen as an exit.
    this.#gdb.stdin.on('error', () => {})
    createInterface({ input: this.#gdb.stdout }).on('line', line => this.#hear(line))
  }

  /** Gives a command; resolves with the fields of its result. @param {string} command @returns {Promise<Fields>} */
  async do(command) {
    const token = ++this.#count
    const result = new Promise((resolve, reject) => this.#waiting.set(token, { resolve, reject }))
    this.#gdb.stdin.write(`${token}${command}\n`)
    return await result
  }

  /** Ends gdb, which detaches from a program that it has. */
  async end() {
    if (this.#gdb.exitCode !== null || this.#gdb.signalCode !== null || this.#gdb.pid === undefined) return
    const exit = once(this.#gdb, 'exit')
    this.#gdb.stdin.end('-gdb-exit\n')
    await exit
  }

  /** @param {string} line */
  #hear(line) {
    const [, token, kind, name, rest] = /^(\d*)([\^*])([\w-]+)(.*)$/.exec(line) ?? []
    const fields = Object.fromEntries(
      [...(rest ?? '').matchAll(/[,{]([\w-]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [
        key,
        unquoted(value),
      ]),
    )
    if (kind === '*' && name === 'stopped') this.emit('stopped', fields)
    const waiting = kind === '^' ? this.#waiting.get(Number(token)) : undefined
    if (waiting === undefined) return
    this.#waiting.delete(Number(token))
    if (name === 'error') waiting.reject(new Error(fields.msg))
    else waiting.resolve(fields)
  }

  /** @param {Error} error */
  #endWith(error) {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** @param {string} text */
const unquoted = text => text.replaceAll(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character))
