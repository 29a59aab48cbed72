/** Most characters in a line of an event. */
const widestLine = 46

/** Breaks a text into lines at spaces and bars; lines after the first are indented. */
export function wrap(text: string): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > widestLine) {
    const head = rest.slice(0, widestLine)
    const at = Math.max(head.lastIndexOf(' '), head.lastIndexOf('|'))
    const end = at > widestLine / 3 ? at + 1 : widestLine
    lines.push(rest.slice(0, end).trimEnd())
    rest = `  ${rest.slice(end)}`
  }
  lines.push(rest)
  return lines
}
