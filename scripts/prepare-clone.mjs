// Makes a clone runnable: installs what is missing, compiles lib/ to dist/, builds the native layer. Skips work
// already done.
//
// Runs before npm start, npm test and the like. It is plain JavaScript without dependencies, as none may be
// installed yet.

import { spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fingerprint } from './fingerprint.mjs'
import { withLock } from './lock.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a command. Prints its output only if it fails. */
function run(command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 << 20,
  })
  if (status === 0) return
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}`)
  throw new Error(`${command} ${args.join(' ')} failed`)
}

/** Does a piece of work, unless the stamp matches the sources and the result still exists. */
function once({ what, stamp, result, sources, work }) {
  const current = `${fingerprint(root, sources)} node-${process.versions.modules}-${process.arch}\n`
  const file = join(root, stamp)
  const isDone = existsSync(file) && readFileSync(file, 'utf8') === current && existsSync(join(root, result))
  if (isDone) return
  process.stderr.write(`tracegate: ${what}\n`)
  work()
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, current)
}

function inPath(...names) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return true
      } catch {
        // Not in this folder.
      }
    }
  }
  return false
}

/** The reason why the native layer cannot be built here, or undefined. */
function cannotBuild() {
  if (process.platform !== 'linux') return `${process.platform} is not Linux`
  if (!inPath(process.env.CXX ?? 'g++', 'c++')) return 'no C++ compiler (g++ or c++) in PATH'
  if (!inPath('make')) return 'no make in PATH'
  if (!inPath('python3', 'python')) return 'no python3 in PATH'
  return undefined
}

/** Node's headers, if installed beside it. Otherwise node-gyp finds them. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
}

function prepare({ native }) {
  once({
    what: 'installing the development dependencies',
    stamp: 'node_modules/.tracegate-stamp',
    result: 'node_modules/typescript',
    sources: ['package-lock.json'],
    // npm passes its own settings to this script in the environment. `npm ci` must read them afresh.
    work: () => run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']),
  })
  once({
    what: 'compiling lib',
    stamp: 'node_modules/.tracegate-dist-stamp',
    result: 'dist/index.js',
    sources: [
      'lib',
      'tsconfig.json',
      'scripts/bundle.mjs',
      'scripts/bundle',
      'scripts/declarations.mjs',
      'package-lock.json',
    ],
    work: () => {
      // Output of a deleted module would be published with the package.
      rmSync(join(root, 'dist'), { recursive: true, force: true })
      run(process.execPath, ['scripts/declarations.mjs', 'dist'])
      run(process.execPath, ['scripts/bundle.mjs', 'dist'])
      chmodSync(join(root, 'dist/cli/main.js'), 0o755)
    },
  })
  if (!native) return
  const obstacle = cannotBuild()
  if (obstacle !== undefined) {
    process.stderr.write(`tracegate: native build skipped: ${obstacle}\n`)
    return
  }
  once({
    what: 'building the native layer',
    stamp: 'build/.stamp',
    result: 'build/Release/tracegate.node',
    sources: ['src', 'binding.gyp', 'package-lock.json'],
    work: () => run(process.execPath, ['node_modules/node-gyp/bin/node-gyp.js', 'rebuild', ...headers()]),
  })
}

try {
  await withLock(root, () => prepare({ native: !process.argv.includes('--no-native') }))
} catch (error) {
  process.stderr.write(`tracegate: ${error.message}\n`)
  process.exitCode = 1
}
