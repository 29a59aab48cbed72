// Writes test/explore/counts.json, of what the explorations have printed:
// (TRACEGATE_COUNTS=new npm test; TRACEGATE_COUNTS=new npm run test:long) | node scripts/record-counts.mjs

import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../test/explore/counts.json', import.meta.url)
/** @type {Record<string, number>} */
const counts = {}
for (const [, count = '', name = ''] of readFileSync(0, 'utf8').matchAll(/^ {2,}(\d[\d,]*) {2}(\S.*)$/gm)) {
  counts[name] = Number(count.replaceAll(',', ''))
}
const sorted = Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, `${JSON.stringify(sorted, null, 2)}\n`)
console.log(`${Object.keys(counts).length} counts`)
