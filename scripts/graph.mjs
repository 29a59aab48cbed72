// Draws which rooms of a folder import which, as the imports say: docs/rooms.svg and docs/rooms-of-….svg.
//
//   node scripts/graph.mjs                          writes the pictures
//   node scripts/graph.mjs --check                  fails where a picture is not what it would write
//   node scripts/graph.mjs --figures FOLDER...      counts the files, imports and circles of a folder of any checkout
//   node scripts/graph.mjs --draw FOLDER PICTURE    draws the rooms of a folder of any checkout
//
// A room is a folder, or a file beside the folders. Implied arrows are left out. Example: if A imports B and B
// imports C, the arrow from A to C is not drawn. An arrow that runs back, from a lower room to a higher one, is red.

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
  'docs/rooms-of-launch.svg': {
    folder: 'lib/launch',
    meanings: {
      base: "owned descriptors, deadlines, the caller's stack",
      channel: 'Channel, the handshake, the gate',
      stdio: 'stdio entries, streams, terminals',
      readiness: 'how a service says that it is ready',
      children: "a child's life: watched, reaped, terminated",
      tracing: 'traced processes, their threads and stops',
      handles: 'Child · Tracee · TracedThread',
      options: 'options, checked and made into actions',
      attempt: 'fork, handshake, and what undoes them',
      'launched.ts': 'what launch() is typed as',
      'launch.ts': 'launch()',
      'attach.ts': 'attach()',
    },
  },
  'docs/rooms-of-sim.svg': {
    folder: 'lib/sim',
    meanings: {
      base: 'results, clock, scheduler, signal sets',
      files: 'pipes, sockets, epolls, descriptors',
      processes: 'processes, threads, signals, ptrace',
      calls: 'the table of system calls',
      kernel: 'the run queue, the step, the event loop',
      programs: 'simulated programs and their calls',
      host: 'the System of the calling JavaScript',
      findings: 'deadlocks, leaks, data races',
      'simulated-kernel.ts': 'puts the parts together',
      timeline: 'a run as text, Mermaid and SVG',
      explore: 'schedules, strategies, faults',
      'index.ts': "the entry 'tracegate/sim'",
    },
  },
}

/** Each file of a folder with the files of the folder that it imports, types included. */
function readImports(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const imports = new Map(names.sort().map(name => [name, new Set()]))
  for (const [file, imported] of imports) {
    const { importedFiles } = typescript.preProcessFile(readFileSync(join(folder, file), 'utf8'), true, true)
    for (const { fileName } of importedFiles) {
      const to = relative(folder, join(folder, dirname(file), fileName))
      if (fileName.startsWith('.') && imports.has(to)) imported.add(to)
    }
  }
  return imports
}

const roomOf = path => path.split('/')[0]

/** Each room with the rooms that it imports. */
function roomsOf(imports) {
  const rooms = new Map([...imports.keys()].map(file => [roomOf(file), new Set()]))
  for (const [file, imported] of imports) {
    for (const to of imported) if (roomOf(to) !== roomOf(file)) rooms.get(roomOf(file))?.add(roomOf(to))
  }
  return rooms
}

/** All nodes that a node reaches: itself only through a circle. */
function reach(graph, start) {
  const found = new Set()
  const left = [start]
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    for (const next of graph.get(node)) {
      if (found.has(next)) continue
      found.add(next)
      left.push(next)
    }
  }
  return found
}

/** The circles of a graph, the largest first: nodes that reach each other. */
function circlesOf(graph) {
  const reached = new Map([...graph.keys()].map(node => [node, reach(graph, node)]))
  const circles = new Set()
  const seen = new Set()
  for (const [node, others] of reached) {
    if (seen.has(node) || !others.has(node)) continue
    const circle = [...others].filter(other => reached.get(other)?.has(node))
    for (const each of circle) seen.add(each)
    circles.add(circle)
  }
  return [...circles].sort((a, b) => b.length - a.length)
}

/** The rooms without the arrows that run back: in a depth-first visit, those to a room that is still being visited. */
function withoutBackArrows(rooms) {
  const forward = new Map([...rooms.keys()].map(room => [room, new Set()]))
  const open = new Set()
  const done = new Set()
  const visit = room => {
    open.add(room)
    for (const next of rooms.get(room)) {
      if (open.has(next)) continue
      forward.get(room)?.add(next)
      if (!done.has(next)) visit(next)
    }
    open.delete(room)
    done.add(room)
  }
  // From the rooms that import the most.
  const byImports = [...rooms.keys()].sort((a, b) => rooms.get(b).size - rooms.get(a).size)
  for (const room of byImports) if (!done.has(room)) visit(room)
  return forward
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
  const forward = withoutBackArrows(rooms)
  const rows = rowsOf(forward)
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
  const backArrows = [...rooms].flatMap(([from, imported]) =>
    [...imported].filter(to => !forward.get(from)?.has(to)).map(to => [from, to]),
  )
  const down = (/** @type {readonly string[]} */ [from, to]) => {
    const [start, end] = [places.get(from), places.get(to)]
    const [x1, y1] = [start.x + boxWidth / 2, start.y + boxHeight]
    const [x2, y2] = [end.x + boxWidth / 2, end.y - 3]
    const middle = (y1 + y2) / 2
    const path = `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 - 6}`
    return `<path class="arrow" d="${path}"/><path class="tip" d="M${x2} ${y2}l-3.5 -7h7z"/>`
  }
  const back = (/** @type {readonly string[]} */ [from, to]) => {
    const [start, end] = [places.get(from), places.get(to)]
    const [x1, y1] = [start.x + boxWidth * 0.6, start.y]
    const [x2, y2] = [end.x + boxWidth * 0.6, end.y + boxHeight + 3]
    const middle = (y1 + y2) / 2
    const path = `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 + 6}`
    return `<path class="arrow back" d="${path}"/><path class="tip back" d="M${x2} ${y2}l-3.5 7h7z"/>`
  }
  const arrows = [...arrowsOf(forward).map(down), ...backArrows.map(back)]
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}">`,
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
  '.arrow{fill:none;stroke:#59636e;stroke-width:1.3}.tip{fill:#59636e}.arrow.back{stroke:#cf222e}.tip.back{fill:#cf222e}',
  '@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.meaning{fill:#9198a1}.paper{fill:#0d1117}',
  '.room{fill:#151b23;stroke:#656c76}',
  '.arrow{stroke:#9198a1}.tip{fill:#9198a1}}',
].join('')

function printFigures(folder) {
  const imports = readImports(folder)
  const rooms = roomsOf(imports)
  const forward = withoutBackArrows(rooms)
  const between = [...imports].flatMap(([from, imported]) =>
    [...imported].map(to => [roomOf(from), roomOf(to)]).filter(([from, to]) => from !== to),
  )
  const back = between.filter(([from, to]) => !forward.get(from)?.has(to))
  const sizes = graph =>
    circlesOf(graph)
      .map(({ length }) => length)
      .join(', ') || 'none'
  console.log(`${folder}: ${imports.size} files in ${rooms.size} rooms`)
  console.log(`  ${between.length} imports between rooms, of which ${back.length} run back`)
  console.log(`  circles of rooms: ${sizes(rooms)}; circles of files: ${sizes(imports)}`)
}

const [mode, ...given] = process.argv.slice(2)
if (mode === '--figures') for (const folder of given) printFigures(folder)
else if (mode === '--draw') {
  const [folder, picture] = given
  writeFileSync(picture, draw(roomsOf(readImports(folder)), { folder, meanings: {} }))
} else {
  for (const [picture, options] of Object.entries(pictures)) {
    const file = join(root, picture)
    const drawn = draw(roomsOf(readImports(join(root, options.folder))), options)
    if (mode !== '--check') writeFileSync(file, drawn)
    else if (readFileSync(file, 'utf8') !== drawn) {
      console.error(`${picture} is not what the imports say: npm run graph`)
      process.exitCode = 1
    }
  }
}
