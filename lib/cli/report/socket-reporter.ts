/** Reports over a unix socket, on which the adapter answers. */

import type { Socket } from 'node:net'
import {
  type AdapterMessage,
  encodeMessage,
  MessageReader,
  ProtocolError,
  readAdapterMessage,
  type StarterMessage,
} from '../../rendezvous/protocol.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import { failureOf } from '../failure.ts'
import { report } from '../output.ts'
import { printable, quoted } from '../printable.ts'
import type { Reporter } from './reporter.ts'
import { whyNotTrusted } from './trusted-user.ts'

/** How long an adapter of another user may take to read the refusal. */
const refusalGraceMs = 1000

/**
 * Connects to the adapter, before the program is started. An adapter of another user is refused, and gets the reason as
 * a line.
 *
 * @throws (by rejection) Error for an adapter that is out of reach, or refused.
 */
export async function connect(system: System, path: string): Promise<Reporter> {
  const net = await import('node:net')
  const socket = net.connect(path)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`cannot reach the adapter at ${quoted(path)}: ${error.code}`)),
    )
  })
  const reporter = new SocketReporter(socket)
  const why = whyNotTrusted(listenerOf(system, socket))
  if (why === undefined) return reporter
  const error = Object.assign(new Error(`cannot trust the adapter at ${quoted(path)}: it ${why}`), { code: 'EACCES' })
  reporter.send({ kind: 'error', ...failureOf(error), path })
  await reporter.close(refusalGraceMs)
  throw error
}

/** The user id of the listening process; undefined in runtimes without descriptors for sockets. */
function listenerOf(system: System, socket: Socket): number | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: unknown } | null }
  const fd = handle?.fd
  const user = typeof fd === 'number' && fd >= 0 ? privateCallsOf(system)?.peerUser?.(fd) : undefined
  return user === undefined || user < 0 ? undefined : user
}

class SocketReporter implements Reporter {
  readonly fd = undefined
  readonly words: AsyncIterable<AdapterMessage>
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    this.words = wordsOf(socket)
    // A reset is the adapter's end, which `words` shows.
    socket.on('error', () => {})
  }

  send(message: StarterMessage): void {
    if (this.#socket.writable) this.#socket.write(encodeMessage(message))
  }

  close(graceMs: number): Promise<boolean> {
    const socket = this.#socket
    return new Promise(resolve => {
      const done = (isTaken: boolean) => {
        clearTimeout(limit)
        socket.destroy()
        resolve(isTaken)
      }
      const limit = setTimeout(() => done(false), graceMs)
      if (socket.writable) socket.end(() => done(true))
      else done(socket.writableLength === 0)
    })
  }
}

async function* wordsOf(socket: Socket): AsyncGenerator<AdapterMessage, void, undefined> {
  const reader = new MessageReader(readAdapterMessage)
  try {
    for await (const bytes of socket) yield* reader.push(bytes as Buffer)
  } catch (error) {
    // A reset connection ends the conversation as a closed one does.
    if (error instanceof ProtocolError)
      report(`tracegate: the adapter is not understood: ${printable(error.message)}\n`)
  }
}
