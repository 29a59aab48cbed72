/** `tracegate doctor`: reports what works on this machine and what does not, one fact a line. */

import { cures } from '../doctor/cures.ts'
import type { Examination } from '../doctor/examine.ts'
import type { Fact } from '../doctor/fact.ts'
import { print } from './output.ts'
import { printableLines } from './printable.ts'
import { readOptions } from './usage.ts'

/** Runs the command. Its exit status is 1 if launching does not work. */
export async function doctor(words: readonly string[]): Promise<number> {
  const { flags } = readOptions(words, { flags: ['json'] })
  const examination = await examined()
  print(flags.has('json') ? `${JSON.stringify(examination)}\n` : printableLines(describe(examination)))
  return examination.ok ? 0 : 1
}

/** Node opens dozens of modules at once. If few descriptors are left, their loading fails: that becomes the report. */
async function examined(): Promise<Examination> {
  const loaded = await import('../doctor/examine.ts').catch((error: NodeJS.ErrnoException) => error)
  if ('examine' in loaded) return await loaded.examine()
  const cure = cures[loaded.code ?? '']
  if (cure === undefined) throw loaded
  return { ok: false, facts: [{ name: 'modules', status: 'fail', detail: `not loaded: ${loaded.message}`, cure }] }
}

function describe({ ok, facts }: Examination): string {
  const width = Math.max(...facts.map(({ name }) => name.length))
  const margin = ' '.repeat('warn  '.length + width + 2)
  const lines = facts.map(({ name, status, detail, cure }: Fact) => {
    const text = cure === undefined ? detail : `${detail}\n-> ${cure}`
    return `${status.padEnd(4)}  ${name.padEnd(width)}  ${text.replaceAll('\n', `\n${margin}`)}\n`
  })
  return `${lines.join('')}\nLaunching ${ok ? 'works' : 'does not work'} here.\n`
}
