/** The public interface as an editor shows it: every export and every public member has a description. */

import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const entries = ['../lib/index.ts', '../lib/sim/index.ts'].map(name => fileURLToPath(new URL(name, import.meta.url)))
const program = ts.createProgram(entries, {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  types: ['node'],
})
const checker = program.getTypeChecker()

/** The exports of a module, with aliases resolved. */
function exportsOf(file: string): readonly ts.Symbol[] {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!
  return checker
    .getExportsOfModule(module)
    .map(symbol => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
}

const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected

/** The members that an export itself declares: of a class (static ones too), an interface, or an object type. */
function membersOf(symbol: ts.Symbol): readonly ts.Symbol[] {
  const own: ts.Symbol[] = []
  const add = (declaration: ts.NamedDeclaration) => {
    // Node's streams call methods that begin with an underscore.
    const isNamed =
      declaration.name !== undefined &&
      !ts.isPrivateIdentifier(declaration.name) &&
      !declaration.name.getText().startsWith('_')
    if (!isNamed || (ts.getCombinedModifierFlags(declaration as ts.Declaration) & hidden) !== 0) return
    const member = checker.getSymbolAtLocation(declaration.name!)
    if (member !== undefined) own.push(member)
  }
  for (const declaration of symbol.declarations ?? []) {
    if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) declaration.members.forEach(add)
    else if (ts.isTypeAliasDeclaration(declaration) && ts.isTypeLiteralNode(declaration.type)) {
      declaration.type.members.forEach(add)
    }
  }
  return own
}

const isDocumented = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0

/** Error's descriptions also apply to the members of the classes that narrow it. */
const ofEveryError: ReadonlySet<string> = new Set(['name', 'code', 'message'])

function undocumented(file: string): string[] {
  return exportsOf(file).flatMap(symbol => {
    const isError = symbol.name.endsWith('Error')
    const members = membersOf(symbol)
      .filter(member => !isDocumented(member) && !(isError && ofEveryError.has(member.name)))
      .map(member => `${symbol.name}.${member.name}`)
    return isDocumented(symbol) ? members : [symbol.name, ...members]
  })
}

describe.each(entries)('the exports of %s', file => {
  it('are found, and their members', () => {
    const exports = exportsOf(file)
    expect(exports.length).toBeGreaterThan(20)
    expect(exports.flatMap(membersOf).length).toBeGreaterThan(50)
  })

  it('have a docstring each, and so has each public member', () => {
    expect([...new Set(undocumented(file))]).toEqual([])
  })
})
