// The base protocol of the Debug Adapter Protocol: a header with a length, an empty line, and JSON.

/** A message, as JSON has it. @typedef {Record<string, any>} Message */

/** Splits a byte stream into messages. @param {AsyncIterable<Buffer>} stream @returns {AsyncGenerator<Message>} */
export async function* messagesFrom(stream) {
  let rest = Buffer.alloc(0)
  for await (const bytes of stream) {
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      const end = rest.indexOf('\r\n\r\n')
      if (end < 0) break
      const length = Number(/^Content-Length: *(\d+)$/im.exec(rest.toString('latin1', 0, end))?.[1])
      if (Number.isNaN(length)) throw new Error('a message without Content-Length')
      if (rest.length < end + 4 + length) break
      yield JSON.parse(rest.toString('utf8', end + 4, end + 4 + length))
      rest = rest.subarray(end + 4 + length)
    }
  }
}

/** Writes a message. @param {NodeJS.WritableStream} stream @param {Message} message */
export function send(stream, message) {
  const text = JSON.stringify(message)
  stream.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}
