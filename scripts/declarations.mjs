// Emits the declarations of lib/, and keeps those that the entries reach.
//
// `node scripts/declarations.mjs FOLDER` writes them there.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [to] = process.argv.slice(2)
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const options = ['--project', join(root, 'tsconfig.json'), '--emitDeclarationOnly', '--outDir', to]
execFileSync(process.execPath, [compiler, ...options], { stdio: 'inherit' })

const reached = new Set()
const reach = file => {
  if (reached.has(file)) return
  reached.add(file)
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from |import\(|import )['"](\.[^'"]*)\.[jt]s['"]/g)) {
    reach(join(dirname(file), `${path}.d.ts`))
  }
}
reach(join(to, 'index.d.ts'))
reach(join(to, 'sim/index.d.ts'))
reach(join(to, 'syscalls/index.d.ts'))

for (const name of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
  const declaration = join(to, name.replace(/\.map$/, ''))
  // The entries for bundles import no declarations, so reach() does not find them.
  const isKept = reached.has(declaration) || relative(to, declaration).startsWith('native/prebuilt/')
  if (/\.d\.c?ts(\.map)?$/.test(name) && !isKept) rmSync(join(to, name))
}
