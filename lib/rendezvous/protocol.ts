/**
 * The protocol between a held program's starter and an adapter: one JSON object a line, in both directions.
 *
 * docs/terminal-protocol.md is its standard. A receiver ignores members and kinds that it does not know. A change that
 * such a receiver would misread raises the version.
 */

import { StringDecoder } from 'node:string_decoder'

/** The version of the messages, which `held` carries. */
export const protocolVersion = 1

/** A program is held: it exists, and has run no instruction. */
export interface HeldMessage {
  readonly v: typeof protocolVersion
  readonly kind: 'held'
  readonly pid: number
  /** Field 22 of /proc/PID/stat, in clock ticks since boot: with the pid it names the process for good. */
  readonly startTime: number
  /** The path of its controlling terminal; null where it has none. */
  readonly tty: string | null
  readonly program: string
}

/** The program ended, or was killed before it ran. */
export interface ExitedMessage {
  readonly kind: 'exited'
  readonly code: number | null
  readonly signal: string | null
}

/** The launch failed: the step that failed, and its errno's name. */
export interface ErrorMessage {
  readonly kind: 'error'
  readonly step: string | null
  readonly code: string | null
  readonly path: string | null
  readonly message: string
}

/** What the starter of the program says. */
export type StarterMessage = HeldMessage | { readonly kind: 'attachable' } | ExitedMessage | ErrorMessage

/** What the adapter says. */
export type AdapterMessage = { readonly kind: 'attach' } | { readonly kind: 'release' } | { readonly kind: 'abort' }

/** A line that is not a message. Nothing after it on the connection can be trusted. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** The members of a line. */
type Fields = Readonly<Record<string, unknown>>

/** The longest line. PATH_MAX is 4,096 bytes, and JSON escapes a byte by up to six characters. */
const longestLine = 65_536

export function encodeMessage(message: StarterMessage | AdapterMessage): string {
  return `${JSON.stringify(message)}\n`
}

/** Splits a byte stream into messages. A line may come in any number of pieces. */
export class MessageReader<Message extends { readonly kind: string }> {
  readonly #decoder = new StringDecoder('utf8')
  readonly #read: (fields: Fields) => Message | undefined
  #rest = ''

  /** `read`: checks the fields of a line; undefined for a kind that it does not know. */
  constructor(read: (fields: Fields) => Message | undefined) {
    this.#read = read
  }

  /** The messages that these bytes complete. @throws ProtocolError */
  push(bytes: Buffer): Message[] {
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n')
    this.#rest = lines.pop()!
    if (this.#rest.length > longestLine) throw new ProtocolError(`a line has more than ${longestLine} characters`)
    return lines.map(line => this.#read(parse(line))).filter(message => message !== undefined)
  }
}

function parse(line: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ProtocolError(`a line is no JSON: ${JSON.stringify(line.slice(0, 100))}`)
  }
  if (typeof value !== 'object' || value === null || typeof (value as { kind?: unknown }).kind !== 'string') {
    throw new ProtocolError(`a line is no object with a kind: ${JSON.stringify(line.slice(0, 100))}`)
  }
  return value as Fields
}

/** Reads a message of the adapter; undefined for an unknown kind. */
export function readAdapterMessage({ kind }: Fields): AdapterMessage | undefined {
  return kind === 'attach' || kind === 'release' || kind === 'abort' ? { kind } : undefined
}

/** Reads a message of the starter; undefined for an unknown kind. @throws ProtocolError for a bad version or member */
export function readStarterMessage(fields: Fields): StarterMessage | undefined {
  const { kind } = fields
  if (kind === 'attachable') return { kind }
  if (kind === 'held') {
    if (fields.v !== protocolVersion) throw new ProtocolError(`version ${fields.v} is not ${protocolVersion}`)
    return {
      v: protocolVersion,
      kind,
      pid: numberOf(fields, 'pid'),
      startTime: numberOf(fields, 'startTime'),
      tty: orNull(fields, 'tty', stringOf),
      program: stringOf(fields, 'program'),
    }
  }
  if (kind === 'exited') {
    return { kind, code: orNull(fields, 'code', numberOf), signal: orNull(fields, 'signal', stringOf) }
  }
  if (kind !== 'error') return undefined
  const text = (name: string) => orNull(fields, name, stringOf)
  return { kind, step: text('step'), code: text('code'), path: text('path'), message: stringOf(fields, 'message') }
}

function numberOf(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(fields, name)
  return value
}

function stringOf(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw wrong(fields, name)
  return value
}

function orNull<Value>(fields: Fields, name: string, read: (fields: Fields, name: string) => Value): Value | null {
  return (fields[name] ?? null) === null ? null : read(fields, name)
}

function wrong(fields: Fields, name: string): ProtocolError {
  return new ProtocolError(`member ${name} of ${fields.kind} is ${JSON.stringify(fields[name])}`)
}
