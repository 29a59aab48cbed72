/** Makes outside text safe for a terminal. */

// C0 and C1 controls, line separators and bidirectional controls, and lone surrogates.
const unfit =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x1b': '\\e' }

/** Escapes control characters: a name may contain terminal commands. */
export function printable(text: string): string {
  return text.replaceAll(unfit, character => {
    const code = character.charCodeAt(0)
    return named[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
  })
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
