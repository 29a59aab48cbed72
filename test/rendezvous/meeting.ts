/** An open Rendezvous, and what a test says to it. */

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { expect } from 'vitest'
import { Rendezvous, type RendezvousOptions } from '../../lib/index.ts'
import { encodeMessage, type StarterMessage } from '../../lib/rendezvous/protocol.ts'

/** The path of its socket. */
export const socketOf = ({ address }: Rendezvous) => address.slice('unix:'.length)

/** A starter that the test plays. */
export async function starterOf(rendezvous: Rendezvous) {
  const socket = connect(socketOf(rendezvous))
  socket.on('error', () => {})
  await once(socket, 'connect')
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  return {
    socket,
    closed: once(socket, 'close'),
    say: (message: StarterMessage) => void socket.write(encodeMessage(message)),
    /** What the adapter has said, once its connection has closed. */
    heard: () => heard,
  }
}

/** The report of a program. */
export const aProgram = {
  v: 1,
  kind: 'held',
  pid: 7,
  startTime: 99,
  tty: null,
  program: '/bin/x',
} as const satisfies StarterMessage

/** Opens one for the body, and closes it, which leaves nothing. */
export async function withRendezvous(body: (rendezvous: Rendezvous) => Promise<void>, options?: RendezvousOptions) {
  const rendezvous = await Rendezvous.open(options)
  try {
    await body(rendezvous)
  } finally {
    await rendezvous.close()
    expect(existsSync(dirname(socketOf(rendezvous)))).toBe(false)
  }
}
