/** A timeline as a Mermaid sequenceDiagram. */

import type { TimelineArrow, TimelineParts } from './parts.ts'
import { printable } from './printable.ts'
import { shownText, skippedText } from './text.ts'

/** Background of an event that a finding marks. */
const markColour = 'rgba(220, 60, 60, 0.25)'

/** Renders each event as a note over its process, and each arrow as a message before the event it leads to. */
export function renderMermaid({ columns, events, arrows }: TimelineParts): string {
  const names = columns.map(({ tid }) => `p${tid}`)
  const lines = ['sequenceDiagram']
  for (const [index, { pid, tid, name }] of columns.entries()) {
    lines.push(
      `  participant ${names[index]} as ${escapeText(tid === pid ? `${pid} ${name}` : `${tid} thread of ${pid}`)}`,
    )
  }
  for (const [index, event] of events.entries()) {
    const { column, mark } = event
    const own = names[column]!
    const skipped = skippedText(event)
    if (skipped !== undefined) lines.push(`  Note over ${own}: ${skipped}`)
    if (mark !== undefined) lines.push(`  rect ${markColour}`)
    for (const arrow of arrows) {
      if (arrow.to === index && arrow.kind !== 'waits')
        lines.push(`  ${names[events[arrow.from]!.column]}${line(arrow)}${own}: ${escapeText(labelOf(arrow))}`)
    }
    const child = columns.findIndex(({ bornAt }) => bornAt === index)
    const said = escapeText(shownText(event))
    lines.push(child < 0 ? `  Note over ${own}: ${said}` : `  ${own}->>${names[child]}: ${said}`)
    if (mark !== undefined) {
      lines.push(`  Note over ${own}: ${escapeText(`▲ ${mark.kind}: ${mark.text}`)}`, '  end')
    }
  }
  return `${lines.join('\n')}\n`
}

function line({ kind }: TimelineArrow): string {
  return kind === 'bytes' || kind === 'signal' ? '->>' : '-->>'
}

function labelOf({ kind, label }: TimelineArrow): string {
  if (label !== '') return label
  return kind === 'resume' ? 'go on' : 'status'
}

/** Escapes characters with a meaning to Mermaid (`;`, `#`, and `%%{` anywhere) or to the page (`<`, `>`, `&`, `"`). */
function escapeText(text: string): string {
  return printable(text).replaceAll(/[#;<>&"%]/g, character => `#${character.charCodeAt(0)};`)
}
