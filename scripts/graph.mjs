// Draws which rooms of lib/ import which, as the imports say: docs/rooms.svg.
//
//   node scripts/graph.mjs            writes the pictures
//   node scripts/graph.mjs --check    fails where a picture is not what it would write
//
// A room is a folder, or a file beside the folders. Implied arrows are left out. Example: if A imports B and B
// imports C, the arrow from A to C is not drawn.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import typescript from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Each picture: the folder whose rooms it shows, and the captions below their names. */
const pictures = {
  'docs/rooms.svg': {
    folder: 'lib',
    meanings: {
      system: 'the System interface, errors, child programs',
      native: 'System over the addon',
      sim: "a simulated kernel: 'tracegate/sim'",
      'open-system.ts': 'chooses a System',
      syscalls: "tables: 'tracegate/syscalls'",
      'syscall-names.ts': 'syscallName()',
      launch: 'Channel · launch() · Child · Tracee',
      doctor: 'what works on this machine',
      rendezvous: "the adapter's end of the terminal protocol",
      cli: 'the tracegate command',
      'index.ts': "the entry 'tracegate'",
    },
  },
}

const roomOf = path => path.split('/')[0]

/** Each room of a folder with the rooms that it imports. */
function readRooms(folder) {
  const rooms = new Map()
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  for (const file of files.sort()) {
    const room = roomOf(file)
    if (!rooms.has(room)) rooms.set(room, new Set())
    const { importedFiles } = typescript.preProcessFile(readFileSync(join(folder, file), 'utf8'), true, true)
    for (const { fileName } of importedFiles) {
      if (!fileName.startsWith('.')) continue
      const imported = roomOf(relative(folder, join(folder, dirname(file), fileName)))
      // A path above the folder is no room of it.
      if (imported !== room && imported !== '..') rooms.get(room).add(imported)
    }
  }
  return rooms
}

/** All rooms that a room reaches. Throws on an import cycle between rooms. */
function reach(rooms, room, above = []) {
  if (above.includes(room)) throw new Error(`rooms import each other: ${[...above, room].join(' > ')}`)
  const found = new Set()
  for (const next of rooms.get(room)) {
    found.add(next)
    for (const further of reach(rooms, next, [...above, room])) found.add(further)
  }
  return found
}

/** The arrows that are not implied by others. */
function arrowsOf(rooms) {
  const arrows = []
  for (const [from, imported] of rooms) {
    const indirect = new Set([...imported].flatMap(next => [...reach(rooms, next)]))
    for (const to of imported) if (!indirect.has(to)) arrows.push([from, to])
  }
  return arrows
}

/** The row of each room: 0 at the bottom, else one above the highest room that it imports. */
function rowsOf(rooms) {
  const heights = new Map()
  const height = room => {
    if (!heights.has(room)) heights.set(room, Math.max(-1, ...[...rooms.get(room)].map(height)) + 1)
    return heights.get(room)
  }
  const rows = []
  for (const room of rooms.keys()) {
    rows[height(room)] ??= []
    rows[height(room)].push(room)
  }
  return rows
}

const [boxWidth, boxHeight, gapX, gapY, margin] = [310, 46, 40, 40, 16]

function draw(rooms, { folder, meanings }) {
  const rows = rowsOf(rooms)
  const columns = Math.max(...rows.map(({ length }) => length))
  const width = columns * boxWidth + (columns - 1) * gapX + 2 * margin
  const height = rows.length * boxHeight + (rows.length - 1) * gapY + 2 * margin
  const places = new Map()
  for (const [row, names] of rows.entries()) {
    const left = (width - names.length * boxWidth - (names.length - 1) * gapX) / 2
    const y = height - margin - boxHeight - row * (boxHeight + gapY)
    for (const [column, name] of names.sort().entries()) places.set(name, { x: left + column * (boxWidth + gapX), y })
  }
  const boxes = [...places].map(([name, { x, y }]) => {
    const title = name.endsWith('.ts') ? `${folder}/${name}` : `${folder}/${name}/`
    return [
      `<rect class="room" x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="4"/>`,
      `<text class="title" x="${x + boxWidth / 2}" y="${y + 19}" text-anchor="middle">${title}</text>`,
      `<text class="meaning" x="${x + boxWidth / 2}" y="${y + 36}" text-anchor="middle">${meanings[name] ?? ''}</text>`,
    ].join('')
  })
  const arrows = arrowsOf(rooms).map(([from, to]) => {
    const [start, end] = [places.get(from), places.get(to)]
    const [x1, y1] = [start.x + boxWidth / 2, start.y + boxHeight]
    const [x2, y2] = [end.x + boxWidth / 2, end.y - 3]
    const middle = (y1 + y2) / 2
    return `<path class="arrow" d="M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 - 6}"/><path class="tip" d="M${x2} ${y2}l-3.5 -7h7z"/>`
  })
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>The rooms of ${folder} and their imports</title>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...arrows,
    ...boxes,
    '</svg>',
  ].join('\n')}\n`
}

const style = [
  'text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1f2328}',
  '.title{font-weight:600}.meaning{font-size:11px;fill:#59636e}.paper{fill:#fff}.room{fill:#f6f8fa;stroke:#818b98}',
  '.arrow{fill:none;stroke:#59636e;stroke-width:1.3}.tip{fill:#59636e}',
  '@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.meaning{fill:#9198a1}.paper{fill:#0d1117}.room{fill:#151b23;stroke:#656c76}',
  '.arrow{stroke:#9198a1}.tip{fill:#9198a1}}',
].join('')

for (const [picture, options] of Object.entries(pictures)) {
  const file = join(root, picture)
  const drawn = draw(readRooms(join(root, options.folder)), options)
  if (!process.argv.includes('--check')) writeFileSync(file, drawn)
  else if (readFileSync(file, 'utf8') !== drawn) {
    console.error(`${picture} is not what the imports say: npm run graph`)
    process.exitCode = 1
  }
}
