// Makes the published files smaller without making them harder to debug: spaces, comments and the names of local
// variables go. V8 reads all of the code at an import, and that is most of an import's time.
//
// All that a stack trace names stays as it is: functions, classes and methods, private ones too. Lines have some 120
// characters, since Node prints the line of an uncaught error. Source maps lead to lib/.

import { transform } from 'esbuild'

// esbuild's form of a class that names itself.
const renamedClass = /^var (\w+) = class _\1\b/gm
const esmStatement = /^(?:import|export) (?:\{[^}]*\})?(?: from )?(?:"[^"]*")?;$/gm
const hashbang = /^#!.*$/m
const privateMethod = /^ +(?:static )?(?:async )?(?:get |set |\*)?#(\w+)\(/gm

/**
 * Restores the names of classes that esbuild has renamed, which errors and inspect() show. As declarations they keep
 * them.
 */
function withClassNames(code) {
  const names = Array.from(code.matchAll(renamedClass), ([, name]) => name)
  const declared = code.replaceAll(renamedClass, (all, name) => `class ${name}`.padStart(all.length))
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), declared)
}

/**
 * Hides names that are to stay: esbuild keeps those of public members. It hides them one character for one, since
 * columns of the source map must not move.
 */
function hiding(code) {
  const methods = new Set(Array.from(code.matchAll(privateMethod), ([, name]) => name))
  const swap = (text, from, to) =>
    text.replaceAll(new RegExp(`\\${from}(\\w+)`, 'g'), (all, name) => (methods.has(name) ? `${to}${name}` : all))
  const count = text => Array.from(text.matchAll(/[#$](\w+)/g)).filter(([, name]) => methods.has(name)).length
  return {
    hidden: swap(code, '#', '$').replaceAll('import.meta', 'import$meta'),
    shown(text) {
      const found = swap(text.replaceAll('import$meta', 'import.meta'), '$', '#')
      if (count(found) !== count(code)) throw new Error('a short name looks like one of a private method')
      return found
    },
  }
}

/** Leaves names out of an import that the code does not use. */
function withoutUnused(statement, code) {
  return statement.replace(/^import \{([^}]*)\}/, (_, list) => {
    const used = list.split(',').filter(each => new RegExp(`\\b${each.trim().split(' ').at(-1)}\\b`).test(code))
    return `import {${used.join(',')}}`
  })
}

/** Compacts a file that esbuild has bundled, and its source map. */
export async function compact(code, map) {
  // esbuild renames what is at the top level of a module, and not of a script. All other lines and columns stay.
  const moved = []
  const move = statement => {
    moved.push(statement.replaceAll(/\s+/g, ' '))
    return statement.replaceAll(/[^\n]/g, ' ')
  }
  const script = withClassNames(code).replace(hashbang, move).replaceAll(esmStatement, move)
  const { hidden, shown } = hiding(script)
  const inline = Buffer.from(map).toString('base64')
  const short = await transform(`${hidden}\n//# sourceMappingURL=data:application/json;base64,${inline}`, {
    minifyWhitespace: true,
    minifyIdentifiers: true,
    lineLimit: 120,
    target: 'node20.19',
    sourcemap: 'external',
    sourcesContent: false,
  })
  const end = moved.filter(each => each.startsWith('export'))
  const rest = [shown(short.code).trimEnd(), ...end, ''].join('\n')
  const head = moved.filter(each => !each.startsWith('export')).map(each => withoutUnused(each, rest))
  const { mappings, ...others } = JSON.parse(short.map)
  return {
    code: [...head, rest].join('\n'),
    map: JSON.stringify({ ...others, mappings: ';'.repeat(head.length) + mappings }),
  }
}
