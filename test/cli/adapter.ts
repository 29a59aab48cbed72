/** The adapter of a held program, played by a test: its socket, and the starter's messages on it. */

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { MessageReader, readStarterMessage, type StarterMessage } from '../../lib/rendezvous/protocol.ts'

export interface Adapter extends AsyncDisposable {
  readonly address: string
  /** The starter's connection, once it has come. */
  readonly starter: Promise<Socket>
  /** The starter's next message; undefined at the end of its connection. */
  next(): Promise<StarterMessage | undefined>
  say(...kinds: readonly string[]): Promise<void>
  /** Ends as a process that dies does. */
  die(): Promise<void>
}

let count = 0

/** Listens in a folder. */
export async function startAdapter(folder: string): Promise<Adapter> {
  const path = join(folder, `adapter-${count++}`)
  const server = createServer()
  const starter = once(server, 'connection').then(([socket]) => socket as Socket)
  server.listen(path)
  await once(server, 'listening')
  const messages = messagesOf(starter)
  const die = async () => {
    server.close()
    await Promise.race([starter.then(socket => socket.destroy()), once(server, 'close')])
  }
  return {
    address: `unix:${path}`,
    starter,
    next: async () => (await messages.next()).value ?? undefined,
    say: async (...kinds) => {
      const socket = await starter
      socket.write(kinds.map(kind => `{"kind":"${kind}"}\n`).join(''))
    },
    die,
    [Symbol.asyncDispose]: die,
  }
}

async function* messagesOf(starter: Promise<Socket>): AsyncGenerator<StarterMessage, void> {
  const socket = await starter
  socket.on('error', () => {})
  const reader = new MessageReader(readStarterMessage)
  for await (const bytes of socket) yield* reader.push(bytes as Buffer)
}
