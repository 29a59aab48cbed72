// Code that several published files contain, and that runs once: in the first of them that is loaded. The others take
// its exports from there. So an entry is one file, and all entries have the same classes.

import { createHash } from 'node:crypto'
import { dirname, relative, resolve } from 'node:path'
import { decode, encode } from '@jridgewell/sourcemap-codec'

/**
 * @import { SourceMapSegment } from '@jridgewell/sourcemap-codec'
 * @typedef {{ code: string, map: string }} File A published file, without the line that names its source map.
 * @typedef {{ lines: readonly string[], map: string, names: readonly string[] }} Once The lines of an expression that
 * runs the code and gives its exports; a source map, whose first line is of the second of these; the exports' names.
 */

const exportStatement = /^export \{([^}]*)\};$/m

/**
 * Makes an expression of a module's code. Its exports are kept in the global object, which bundlers leave alone, under
 * a name that is the code's own: another version of the package has another one. Where the global object takes no
 * properties, each file has its own.
 *
 * @param {File} module
 * @returns {Once}
 */
export function once({ code, map }) {
  const [statement, list] = exportStatement.exec(code) ?? []
  if (statement === undefined || list === undefined) throw new Error('there is no export to keep')
  const exported = list.split(',').map(each => each.trim().split(' as '))
  const key = `Symbol.for("tracegate ${createHash('sha256').update(code).digest('hex').slice(0, 16)}")`
  const kept = exported.map(([local, name = local]) => (name === local ? name : `${name}:${local}`)).join(',')
  const body = code.replace(statement, () => `var exports={${kept}};`).trimEnd()
  return {
    lines: [
      // V8 compiles a function expression in parentheses with the code around it. It reads an arrow function twice.
      `globalThis[${key}]??(function(){`,
      ...body.split('\n'),
      `Reflect.defineProperty(globalThis,${key},{value:exports});return exports})();`,
    ],
    map,
    names: exported.map(([local, name = local]) => name),
  }
}

/**
 * The module itself, with that expression.
 *
 * @param {Once} shared
 * @returns {File}
 */
export function asModule({ lines, map, names }) {
  const { mappings, ...others } = JSON.parse(map)
  return {
    code: `export var {${names.join(',')}}=${lines.join('\n')}\n`,
    map: JSON.stringify({ ...others, mappings: `;${mappings}` }),
  }
}

/**
 * Puts the expression into a file, in place of the file's import of the module.
 *
 * @param {File} into
 * @param {Once} shared
 * @param {{ from: string, to: string, imported: string }} paths of the module, of the file, and of the module as the
 * file imports it
 * @returns {File}
 */
export function inPlaceOfImport(into, shared, { from, to, imported }) {
  const lines = into.code.split('\n')
  const at = lines.findIndex(line => line.startsWith('import {') && line.endsWith(` from "${imported}";`))
  if (at < 0) throw new Error(`${to} does not import ${imported}`)
  const names = lines[at].slice(lines[at].indexOf('{'), lines[at].indexOf('}') + 1).replaceAll(' as ', ':')
  lines.splice(at, 1, `var ${names}=${shared.lines[0]}`, ...shared.lines.slice(1))

  const map = JSON.parse(into.map)
  const inner = JSON.parse(shared.map)
  const moved = decode(inner.mappings).map(line => line.map(segment => movedBy(segment, map)))
  const length = shared.lines.length
  const padded = Array.from({ length }, (_, line) => moved[line - 1] ?? [])
  const sources = inner.sources.map(path => relative(dirname(to), resolve(dirname(from), path)))
  return {
    code: lines.join('\n'),
    map: JSON.stringify({
      ...map,
      sources: [...map.sources, ...sources],
      names: [...map.names, ...inner.names],
      mappings: encode(decode(map.mappings).toSpliced(at, 1, ...padded)),
    }),
  }
}

/**
 * A segment of one source map, behind the sources and names of another.
 *
 * @param {SourceMapSegment} segment
 * @returns {SourceMapSegment}
 */
function movedBy(segment, { sources, names }) {
  const [column, source, line, sourceColumn, name] = segment
  if (source === undefined || line === undefined || sourceColumn === undefined) return [column]
  if (name === undefined) return [column, source + sources.length, line, sourceColumn]
  return [column, source + sources.length, line, sourceColumn, name + names.length]
}
