import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../lib/rendezvous/address.ts'
import {
  encodeMessage,
  MessageReader,
  ProtocolError,
  readAdapterMessage,
  readStarterMessage,
  type StarterMessage,
} from '../../lib/rendezvous/protocol.ts'
import { whyInvalid } from '../support/json-schema.ts'

const held: StarterMessage = { v: 1, kind: 'held', pid: 7, startTime: 99, tty: '/dev/pts/3', program: 'é\n"x"' }
const messages: readonly StarterMessage[] = [
  held,
  { ...held, tty: null },
  { kind: 'attachable' },
  { kind: 'exited', code: 7, signal: null },
  { kind: 'exited', code: null, signal: 'SIGRTMIN+3' },
  { kind: 'error', step: 'execve', code: 'ENOENT', path: '/nope', message: 'no' },
  { kind: 'error', step: null, code: null, path: null, message: '' },
]

const starter = () => new MessageReader(readStarterMessage)
const read = (text: string) => starter().push(Buffer.from(text))

describe('messages', () => {
  it('are read as they were written, one a line', () => {
    const text = messages.map(encodeMessage).join('')
    expect(text.split('\n')).toHaveLength(messages.length + 1)
    expect(read(text)).toEqual(messages)
  })

  it('may come in pieces of any size, in the middle of a character too', () => {
    const reader = starter()
    const bytes = Buffer.from(messages.map(encodeMessage).join(''))
    expect([...bytes].flatMap(byte => reader.push(Buffer.of(byte)))).toEqual(messages)
  })

  it('of the adapter are its three words', () => {
    const reader = new MessageReader(readAdapterMessage)
    const text = '{"kind":"attach"}\n{"kind":"release","more":1}\n{"kind":"later"}\n{"kind":"abort"}\n'
    expect(reader.push(Buffer.from(text)).map(({ kind }) => kind)).toEqual(['attach', 'release', 'abort'])
  })

  it('of an unknown kind are ignored, and unknown members', () => {
    expect(read('{"kind":"paused"}\n{"kind":"attachable","since":4}\n')).toEqual([{ kind: 'attachable' }])
  })

  it.each([
    ['text', 'hello\n', 'no JSON'],
    ['half a line of JSON', '{"kind":\n', 'no JSON'],
    ['an empty line', '\n', 'no JSON'],
    ['a list', '[]\n', 'no object with a kind'],
    ['null', 'null\n', 'no object with a kind'],
    ['a kind that is no name', '{"kind":3}\n', 'no object with a kind'],
    ['another version', '{"v":2,"kind":"held","pid":1,"startTime":1,"tty":null,"program":"x"}\n', 'version 2'],
    ['a pid that is no number', '{"v":1,"kind":"held","pid":"1","startTime":1,"tty":null,"program":"x"}\n', 'pid'],
    ['a member that is missing', '{"v":1,"kind":"held","pid":1,"startTime":1,"tty":null}\n', 'program'],
    ['a line without an end', 'x'.repeat(65_537), '65536'],
  ])('that are none are refused: %s', (_, text, why) => {
    expect(() => read(text)).toThrow(ProtocolError)
    expect(() => read(text)).toThrow(why)
  })

  it('are what the published schema says, and what it refuses is refused', () => {
    const path = fileURLToPath(new URL('../../docs/terminal-protocol.schema.json', import.meta.url))
    const schema = JSON.parse(readFileSync(path, 'utf8')) as object
    for (const message of [...messages, { kind: 'attach' }, { kind: 'release' }, { kind: 'abort' }]) {
      expect(whyInvalid(schema, message), JSON.stringify(message)).toBeUndefined()
    }
    for (const message of [
      {},
      { kind: 'held' },
      { ...held, v: 2 },
      { ...held, pid: '7' },
      { kind: 'exited', code: 7 },
    ]) {
      expect(whyInvalid(schema, message), JSON.stringify(message)).toBeTypeOf('string')
    }
  })
})

describe('an address', () => {
  it.each([
    ['unix:/run/x', { kind: 'unix', path: '/run/x' }],
    ['unix:a:b', { kind: 'unix', path: 'a:b' }],
    ['fifo:./x', { kind: 'fifo', path: './x' }],
    ['fd:3', { kind: 'fd', fd: 3 }],
    [`unix:${'x'.repeat(107)}`, { kind: 'unix', path: 'x'.repeat(107) }],
  ])('%s is one', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
  })

  it.each(['', '/run/x', 'unix', 'unix:', 'fifo:', 'fd:', 'fd:-1', 'fd:1x', 'tcp:80', `unix:${'x'.repeat(108)}`])(
    '%j is none',
    text => {
      expect(parseAddress(text)).toBeTypeOf('string')
    },
  )
})
