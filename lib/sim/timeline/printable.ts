/** The text on one line. Control characters become pictures of one column: a path may hold a terminal's escapes. */
export function printable(text: string): string {
  return Array.from(text, character => {
    const code = character.codePointAt(0)!
    if (character === '\n') return ' '
    if (code < 0x20) return String.fromCodePoint(0x2400 + code)
    if (code >= 0x7f && code < 0xa0) return '␡'
    return /[\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/u.test(character) ? '\ufffd' : character
  }).join('')
}
