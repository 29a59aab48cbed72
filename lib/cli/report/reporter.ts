/** `--report ADDRESS`: reports a held program to an adapter, and receives the adapter's requests. */

import type { Address } from '../../rendezvous/address.ts'
import { parseAddress } from '../../rendezvous/address.ts'
import type { AdapterMessage, StarterMessage } from '../../rendezvous/protocol.ts'
import type { System } from '../../system/system.ts'
import { quoted } from '../printable.ts'
import { UsageError } from '../usage.ts'
import { openDescriptor, openFifo } from './pipe-reporter.ts'
import { connect } from './socket-reporter.ts'

/** Where a held program is reported. */
export interface Reporter {
  /** A descriptor that only the report uses: the program does not get it. */
  readonly fd: number | undefined
  /** The adapter's messages, until it goes; undefined if the address is one-way. To be read once. */
  readonly words: AsyncIterable<AdapterMessage> | undefined
  /** Queues a message. It never blocks and never throws. */
  send(message: StarterMessage): void
  /** Tries for `graceMs` to send what is queued, then closes. False if something was not taken. */
  close(graceMs: number): Promise<boolean>
}

/** Reads the value of --report. @throws UsageError */
export function readAddress(text: string): Address {
  const address = parseAddress(text)
  if (typeof address !== 'string') return address
  throw new UsageError(`option '--report' ${address}, not ${quoted(text)}`)
}

/** Opens an address. @throws UsageError for a descriptor that cannot be written, Error for an adapter out of reach. */
export async function openReporter(system: System, address: Address): Promise<Reporter> {
  if (address.kind === 'unix') return await connect(system, address.path)
  return address.kind === 'fifo' ? openFifo(address.path) : openDescriptor(system, address.fd)
}
