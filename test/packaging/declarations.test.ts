/**
 * The published declarations: the entries reach no internal type, and no public constructor of a class that only
 * launch() makes.
 */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const entries = ['index.d.ts', 'sim/index.d.ts']
const isBuilt = entries.every(entry => existsSync(resolve(dist, entry)))

/** Every declaration file that the entries import or re-export, directly or not. */
function reachable(): Map<string, ts.SourceFile> {
  const found = new Map<string, ts.SourceFile>()
  const visit = (file: string) => {
    if (found.has(file)) return
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
    found.set(file, source)
    for (const { fileName } of ts.preProcessFile(source.text).importedFiles) {
      if (fileName.startsWith('.')) visit(resolve(dirname(file), fileName.replace(/\.[jt]s$/, '.d.ts')))
    }
  }
  for (const entry of entries) visit(resolve(dist, entry))
  return found
}

describe.skipIf(!isBuilt)(`the published declarations${isBuilt ? '' : ' [skipped: the package is not built]'}`, () => {
  const files = isBuilt ? reachable() : new Map<string, ts.SourceFile>()

  it('are found', () => {
    expect([...files.keys()].map(file => relative(dist, file))).toEqual(
      expect.arrayContaining([
        'launch/handles/child.d.ts',
        'launch/channel/channel.d.ts',
        'system/system.d.ts',
        'sim/index.d.ts',
      ]),
    )
  })

  it('mark nothing as internal', () => {
    const marked = [...files].filter(([, source]) => source.text.includes('@internal')).map(([file]) => file)
    expect(marked).toEqual([])
  })

  it.each(['Child', 'Tracee', 'Channel'])('have no public constructor of %s', name => {
    const classes = [...files.values()].flatMap(source =>
      source.statements.filter(ts.isClassDeclaration).filter(statement => statement.name?.text === name),
    )
    expect(classes).toHaveLength(1)
    const constructors = classes[0]!.members.filter(ts.isConstructorDeclaration)
    // A class without a constructor has that of its base class, or a public one.
    expect(constructors).toHaveLength(1)
    const { Private, Protected } = ts.ModifierFlags
    expect(ts.getCombinedModifierFlags(constructors[0]!) & (Private | Protected)).not.toBe(0)
  })

  it.each(['Child', 'Tracee', 'Channel'])('show of %s no member that only the library calls', name => {
    const inside = [
      'handOver',
      'launcher',
      'poll',
      'changed',
      'lost',
      'onChange',
      'onExit',
      'ofLaunch',
      'watched',
      'system',
    ]
    const members = [...files.values()]
      .flatMap(source => source.statements.filter(ts.isClassDeclaration))
      .filter(statement => statement.name?.text === name)
      .flatMap(statement => statement.members.map(member => member.name?.getText()))
    expect(members.filter(member => member !== undefined && inside.includes(member))).toEqual([])
  })
})
