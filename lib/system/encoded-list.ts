/** Lists of strings that are already encoded as fork takes them: in UTF-8, each string terminated by a NUL. */

const encodedLists = new WeakMap<readonly string[], Uint8Array>()

const utf8 = new TextEncoder()

/** Encodes a list, and freezes it so that the encoding stays right. No string may contain a NUL. */
export function encodeList(list: string[]): Uint8Array {
  const encoded = utf8.encode(list.length > 0 ? `${list.join('\0')}\0` : '')
  encodedLists.set(Object.freeze(list), encoded)
  return encoded
}

/** The encoding of a list that encodeList() has encoded. */
export function encodedList(list: readonly string[]): Uint8Array | undefined {
  return encodedLists.get(list)
}
