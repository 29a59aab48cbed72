// Checks formatting, lint rules, types, unused code and long comments: Biome, tsc, knip, clang-format. `--fix-cpp`
// formats the C and C++ files in place.

import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const mostColumns = 120
const clangFormat = join(root, 'node_modules/clang-format/bin/linux_x64/clang-format')

/** The files of some folders whose names match. */
function sourcesIn(folders, names) {
  return folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => names.test(name) && !/(^|\/)(build|node_modules)\//.test(name))
      .map(name => join(folder, name)),
  )
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

/** Whether no comment is longer than a line of code may be: Biome leaves comments as they are. */
function checkComments() {
  const sources = sourcesIn(['lib', 'src', 'test', 'scripts', 'bench', 'examples'], /\.([cm]?[jt]s|c|h|cpp)$/)
  const isLong = line => line.length > mostColumns && /^\s*(\/\/|\/?\*)/.test(line)
  const places = sources.flatMap(name => {
    const lines = readFileSync(join(root, name), 'utf8').split('\n')
    return lines.flatMap((line, at) => (isLong(line) ? [`${name}:${at + 1}`] : []))
  })
  process.stdout.write(`${places.length === 0 ? 'ok  ' : 'FAIL'} comments\n`)
  for (const place of places) process.stdout.write(`${place}: a comment of more than ${mostColumns} columns\n`)
  return places.length === 0
}

const files = sourcesIn(['src', 'test/fixtures', 'bench'], /\.(c|h|cpp)$/)
const runsHere = spawnSync(clangFormat, ['--version']).status === 0

if (process.argv.includes('--fix-cpp')) {
  if (!runsHere) throw new Error('clang-format does not run on this platform')
  process.exitCode = (await check('clang-format -i', clangFormat, ['-i', ...files])) ? 0 : 1
} else {
  const node = process.execPath
  // Side by side: most of them use one processor.
  const checks = [
    checkComments(),
    check('biome', join(root, 'node_modules/.bin/biome'), ['ci', '--colors=off', '--error-on-warnings', '.']),
    check('tsc', node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json']),
    check('tsc, of plain JavaScript', node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.scripts.json']),
    check('knip', node, ['node_modules/knip/bin/knip.js', '--no-progress']),
  ]
  if (runsHere) checks.push(check('clang-format', clangFormat, ['--dry-run', '-Werror', ...files]))
  else process.stdout.write('skip clang-format: its binary is for linux x64\n')
  process.exitCode = (await Promise.all(checks)).every(Boolean) ? 0 : 1
}
