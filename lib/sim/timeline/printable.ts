/** The text on one line. Control characters become their Unicode pictures: a path may hold a terminal's escapes. */
export function printable(text: string): string {
  return Array.from(text, character => {
    const code = character.codePointAt(0)!
    if (character === '\n') return ' '
    if (code < 0x20) return String.fromCodePoint(0x2400 + code)
    if (code >= 0x7f && code < 0xa0) return '␡'
    return (code >= 0xd800 && code < 0xe000) || code === 0xfffe || code === 0xffff ? '\ufffd' : character
  }).join('')
}
