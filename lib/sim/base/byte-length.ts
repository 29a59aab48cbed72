/** The length of a string in UTF-8, in which C has it. Lone surrogates count as the three bytes of U+FFFD. */
export function byteLength(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    const isPair = code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
    bytes += code < 0x800 ? 1 : 2
    // Two units, four bytes.
    if (isPair) i++
  }
  return bytes
}
