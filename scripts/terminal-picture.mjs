// Draws a terminal's screen, as `tmux capture-pane -p` gives it, as SVG. test/examples/adapter.test.ts draws
// docs/an-adapter.svg with it: npm run pictures:terminal

const [charWidth, lineHeight, margin] = [7.8, 18, 14]
const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** The screen's lines as a picture. Lines that begin with `#` or `$` are what the user typed. */
export function drawTerminal(title, lines) {
  const width = Math.ceil(Math.max(...lines.map(line => line.length)) * charWidth) + 2 * margin
  const height = lines.length * lineHeight + 2 * margin
  const texts = lines.map((line, row) => {
    const text = line.replaceAll(/[&<>]/g, character => escapes[character])
    const fill = /^[#$] /.test(line) ? '#9ecbff' : '#e1e4e8'
    return `<text x="${margin}" y="${margin + (row + 0.75) * lineHeight}" fill="${fill}" xml:space="preserve">${text}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, monospace" font-size="13">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" rx="6" fill="#24292e"/>`,
    ...texts,
    '</svg>',
    '',
  ].join('\n')
}
