import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const lib = fileURLToPath(new URL('../lib/', import.meta.url))

/** The parts that each part may import beside itself, from the bottom up. */
const mayImport: Record<string, readonly string[]> = {
  system: [],
  native: ['system'],
  sim: ['system'],
  syscalls: ['system'],
  'open-system.ts': ['system', 'native'],
  'syscall-names.ts': ['system', 'native'],
  launch: ['system', 'open-system.ts'],
  doctor: ['system', 'native', 'open-system.ts', 'launch'],
  rendezvous: ['system', 'native', 'open-system.ts', 'launch'],
  cli: ['system', 'native', 'sim', 'open-system.ts', 'launch', 'doctor', 'rendezvous'],
  'index.ts': ['system', 'open-system.ts', 'syscall-names.ts', 'launch', 'rendezvous'],
}

interface House {
  /** Its rooms, from the bottom up: each may import those before it. Null stands for the files at its root. */
  readonly rooms: readonly (string | null)[]
  /** Rooms that must not import each other. */
  readonly sideBySide?: readonly string[]
}

/** The folders with an order inside. */
const houses: Record<string, House> = {
  sim: {
    rooms: [
      'base',
      'files',
      'processes',
      'calls',
      'kernel',
      'programs',
      'host',
      'findings',
      'simulated-kernel.ts',
      'timeline',
      'explore',
      'index.ts',
    ],
    sideBySide: ['programs', 'host'],
  },
  launch: {
    rooms: ['base', 'channel', 'stdio', 'readiness', 'children', 'tracing', 'handles', 'options', 'attempt', null],
  },
  'launch/tracing': { rooms: ['tasks', 'memory', 'births', 'stops', 'leaving', 'process'] },
}

/** The room of a file of a house. */
function roomIn(name: string, path: string): string | null {
  const [room, ...deeper] = path.slice(name.length + 1).split('/') as [string, ...string[]]
  return deeper.length > 0 || houses[name]!.rooms.includes(room) ? room : null
}

function mayImportRoom({ rooms, sideBySide = [] }: House, from: string | null, to: string | null): boolean {
  if (from === to) return true
  const areSideBySide = [from, to].every(room => room !== null && sideBySide.includes(room))
  return rooms.indexOf(to) < rooms.indexOf(from) && !areSideBySide
}

/** An import cycle may have a few files, never so many that none can be read alone. */
const largestCircle = 3

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .sort()
const parse = (file: string) =>
  ts.createSourceFile(file, readFileSync(join(lib, file), 'utf8'), ts.ScriptTarget.Latest, true)

/** Every module that a file names: in import, export from, import() and types. */
function importsOf(file: string): Import[] {
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined
    if (specifier !== undefined && ts.isStringLiteral(specifier)) found.push({ from: file, to: specifier.text })
    ts.forEachChild(node, visit)
  }
  visit(parse(file))
  return found
}

const imports = files.flatMap(importsOf)
const isLocal = ({ to }: Import) => to.startsWith('.')
const pathOf = ({ from, to }: Import) => relative(lib, join(lib, dirname(from), to))
const partOf = (path: string) => path.split('/')[0]!

/** Import cycles: strongly connected components of more than one file (Tarjan). Type imports count. */
function circles(): string[][] {
  const next = new Map(
    files.map(file => [file, imports.filter(each => each.from === file && isLocal(each)).map(pathOf)]),
  )
  const found: string[][] = []
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const open: string[] = []
  const visit = (file: string): void => {
    order.set(file, order.size)
    low.set(file, order.get(file)!)
    open.push(file)
    for (const to of next.get(file) ?? []) {
      if (!order.has(to)) visit(to)
      if (open.includes(to)) low.set(file, Math.min(low.get(file)!, low.get(to)!))
    }
    if (low.get(file) !== order.get(file)) return
    const circle = open.splice(open.indexOf(file))
    if (circle.length > 1) found.push(circle.sort())
  }
  for (const file of files) if (!order.has(file)) visit(file)
  return found
}

const shown = (found: readonly Import[]) =>
  found.map(each => `${each.from} imports ${isLocal(each) ? pathOf(each) : each.to}`)

describe('the imports of lib/', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(imports.length).toBeGreaterThan(files.length)
  })

  it('come from parts that the house knows', () => {
    expect(files.map(partOf).filter(part => !(part in mayImport))).toEqual([])
  })

  it('run one way: system, then native and sim, then open-system, launch, doctor and rendezvous, and cli and index', () => {
    const back = imports.filter(isLocal).filter(each => {
      const [from, to] = [partOf(each.from), partOf(pathOf(each))]
      return from !== to && !mayImport[from]?.includes(to)
    })
    expect(shown(back)).toEqual([])
  })

  it.each(Object.entries(houses))('of %s know its rooms', (name, { rooms }) => {
    const inside = files.filter(file => file.startsWith(`${name}/`))
    expect(inside.length).toBeGreaterThan(rooms.length)
    expect(inside.filter(file => !rooms.includes(roomIn(name, file)))).toEqual([])
  })

  it.each(Object.entries(houses))('of %s run one way too, types included', (name, house) => {
    const isInside = (path: string) => path.startsWith(`${name}/`)
    const back = imports
      .filter(each => isLocal(each) && isInside(each.from) && isInside(pathOf(each)))
      .filter(each => !mayImportRoom(house, roomIn(name, each.from), roomIn(name, pathOf(each))))
    expect(shown(back)).toEqual([])
  })

  it('go round in no circle of more than three files', () => {
    expect(circles().filter(({ length }) => length > largestCircle)).toEqual([])
  })

  it('name files that are there, with their extension', () => {
    expect(shown(imports.filter(isLocal).filter(each => !existsSync(join(lib, pathOf(each)))))).toEqual([])
  })

  it('of system and of sim name nothing but this library: they run in a browser too', () => {
    const portable = imports.filter(({ from }) => ['system', 'sim'].includes(partOf(from)))
    expect(shown(portable.filter(each => !isLocal(each)))).toEqual([])
  })

  it('of the whole library name modules of Node by their node: names, and nothing that would have to be installed', () => {
    expect(shown(imports.filter(each => !isLocal(each) && !each.to.startsWith('node:')))).toEqual([])
  })
})

describe('lib/index.ts', () => {
  it('only re-exports', () => {
    const others = parse('index.ts').statements.filter(
      statement => !ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined,
    )
    expect(others.map(statement => statement.getText())).toEqual([])
  })
})

describe('every file of lib/', () => {
  it('can be required: no await at the top', () => {
    const awaiting = files.filter(file => {
      let found = false
      const visit = (node: ts.Node): void => {
        if (ts.isFunctionLike(node)) return
        if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) found = true
        ts.forEachChild(node, visit)
      }
      visit(parse(file))
      return found
    })
    expect(awaiting).toEqual([])
  })
})
