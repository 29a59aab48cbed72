/** The colours and strokes of a timeline's picture. */

import { fontSize } from './layout.ts'

interface Palette {
  readonly paper: string
  readonly ink: string
  readonly muted: string
  readonly faint: string
  readonly head: string
  readonly bar: string
  readonly wait: string
  readonly bytes: string
  readonly signal: string
  readonly resume: string
  readonly child: string
  readonly finding: string
  readonly band: string
  readonly stopChip: string
  readonly execChip: string
}

const light: Palette = {
  paper: '#ffffff',
  ink: '#1f2328',
  muted: '#6e7781',
  faint: '#d0d7de',
  head: '#eef1f4',
  bar: '#8c959f',
  wait: '#9a6700',
  bytes: '#0757ba',
  signal: '#9a5b00',
  resume: '#1a7f37',
  child: '#7a3fc4',
  finding: '#cf222e',
  band: '#ffebe9',
  stopChip: '#fff4d6',
  execChip: '#e2f5e6',
}

const dark: Palette = {
  paper: '#0d1117',
  ink: '#e6edf3',
  muted: '#8b949e',
  faint: '#30363d',
  head: '#21262d',
  bar: '#6e7681',
  wait: '#d29922',
  bytes: '#6cb0ff',
  signal: '#e3a535',
  resume: '#4ac26b',
  child: '#c297ff',
  finding: '#ff7b72',
  band: '#3c1618',
  stopChip: '#3a2d0c',
  execChip: '#12351d',
}

function coloured(palette: Palette): string {
  const { paper, ink, muted, faint, head, bar, wait, finding, band, stopChip, execChip } = palette
  const rules = [
    `.paper,.chip{fill:${paper}}`,
    `text{fill:${ink}}`,
    `.number,.legend,text.next{fill:${muted}}`,
    `.blocked,.resumed{fill:${wait}}.go{fill:${palette.resume}}.failed,.finding{fill:${finding}}`,
    `rect.chip.stop,rect.chip.signal{fill:${stopChip}}rect.chip.exec{fill:${execChip}}rect.chip.exit{fill:${head}}`,
    `rect.chip.blocked,rect.chip.resumed,rect.chip.go,rect.chip.failed{fill:${paper}}`,
    `.head{fill:${head};stroke:${bar}}`,
    `.life{stroke:${bar}}.waits{stroke:${wait}}.stops{stroke:${palette.signal}}.over{stroke:${bar}}`,
    `.bar{fill:${bar}}.bar.marked{fill:${finding}}`,
    `.switch,.aside{stroke:${faint}}`,
    `.band{fill:${band}}rect.chip.marked{fill:${paper};stroke:${finding}}`,
    `.band.minor{fill:${stopChip}}.bar.marked.minor,.finding.minor{fill:${palette.signal}}rect.chip.marked.minor{stroke:${palette.signal}}`,
    `.label{stroke:${paper}}`,
    `.fork{stroke:${ink}}.tip.fork{fill:${ink}}`,
    ...(['bytes', 'signal', 'resume', 'child'] as const).map(kind => arrowRule(kind, palette[kind])),
    arrowRule('end-of-file', palette.bytes),
    arrowRule('waits', finding),
  ]
  return rules.join('')
}

function arrowRule(kind: string, colour: string): string {
  return `.arrow.${kind}{stroke:${colour}}.tip.${kind},.label.${kind}{fill:${colour}}`
}

/** The style sheet of a picture. It uses no custom properties, which some viewers do not support. */
export const style = [
  `text{font:${fontSize}px ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",Consolas,monospace;white-space:pre}`,
  '.title{font-weight:bold}.number,.legend{font-size:10px}.finding,.stop,.exec,.exit{font-weight:bold}',
  '.label{font-size:10px;paint-order:stroke;stroke-width:3px;stroke-linejoin:round}',
  '.arrow,.life,.switch,.aside,.over{fill:none}.arrow{stroke-width:1.5}.over{stroke-width:2}.life{stroke-width:1.5}',
  '.waits{stroke-dasharray:4 4}.stops{stroke-dasharray:1.5 4;stroke-width:2.5}.switch{stroke-dasharray:2 2}.aside{stroke-dasharray:6 3}',
  '.arrow.end-of-file,.arrow.child{stroke-dasharray:5 3}rect.chip.marked{stroke-width:1.5}',
  coloured(light),
  `@media (prefers-color-scheme:dark){${coloured(dark)}}`,
].join('')
