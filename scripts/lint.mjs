// Checks formatting, lint rules, types and unused code: Biome, tsc, knip, clang-format. `--fix-cpp` formats the
// C and C++ files in place.

import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const clangFormat = join(root, 'node_modules/clang-format/bin/linux_x64/clang-format')

function native(folder) {
  const full = join(root, folder)
  if (!existsSync(full)) return []
  return readdirSync(full, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(c|h|cpp)$/.test(name) && !/(^|\/)(build|node_modules)\//.test(name))
    .map(name => join(folder, name))
}

/** Whether the check passed; its output is printed only if it fails. */
function check(name, command, args) {
  return new Promise(resolve => {
    execFile(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      process.stdout.write(`${error === null ? 'ok  ' : 'FAIL'} ${name}\n`)
      if (error !== null) process.stdout.write(`${stdout}${stderr}${stdout || stderr ? '' : `${error.message}\n`}`)
      resolve(error === null)
    })
  })
}

const files = ['src', 'test/fixtures', 'bench'].flatMap(native)
const runsHere = spawnSync(clangFormat, ['--version']).status === 0

if (process.argv.includes('--fix-cpp')) {
  if (!runsHere) throw new Error('clang-format does not run on this platform')
  process.exitCode = (await check('clang-format -i', clangFormat, ['-i', ...files])) ? 0 : 1
} else {
  const node = process.execPath
  // Side by side: most of them use one processor.
  const checks = [
    check('biome', join(root, 'node_modules/.bin/biome'), ['ci', '--colors=off', '--error-on-warnings', '.']),
    check('tsc', node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json']),
    check('tsc, of plain JavaScript', node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.scripts.json']),
    check('knip', node, ['node_modules/knip/bin/knip.js', '--no-progress']),
  ]
  if (runsHere) checks.push(check('clang-format', clangFormat, ['--dry-run', '-Werror', ...files]))
  else process.stdout.write('skip clang-format: its binary is for linux x64\n')
  process.exitCode = (await Promise.all(checks)).every(Boolean) ? 0 : 1
}
