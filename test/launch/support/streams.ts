/** Reads a child's output. */

import type { Readable } from 'node:stream'

/** All data up to the end. */
export async function bytesOf(stream: Readable | null): Promise<Buffer> {
  if (stream === null) throw new Error('there is no such stream')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** All data up to the end, as text. */
export async function textOf(stream: Readable | null): Promise<string> {
  return (await bytesOf(stream)).toString()
}
