// Builds one target's addon with prebuildify, in a separate folder. The clone's build/ stays untouched, and the
// folder's path stays out of the addon.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultsOfInterpreter, faultsOfPrebuild } from './gate.mjs'
import { prebuildPath } from './targets.mjs'
import { zig } from './toolchain.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Builds a target and checks it against the gate. Returns the bytes. Throws with the compiler's output, or with
 * the gate's findings.
 */
export function build(target) {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-prebuild-'))
  try {
    // Copied, not linked: the compiler then gets relative paths, which are the same everywhere and free of
    // spaces.
    for (const name of ['package.json', 'binding.gyp', 'src', 'node_modules/node-addon-api']) {
      cpSync(join(root, name), join(folder, name), {
        recursive: true,
        filter: path => path !== join(root, 'src/build'),
      })
    }
    prebuildify(folder, target)
    const bytes = readFileSync(join(folder, prebuildPath(target)))
    const objects = join(folder, 'build/Release/obj.target/tracegate/src/child')
    const interpreter = readdirSync(objects)
      .filter(name => name.endsWith('.o'))
      .map(name => readFileSync(join(objects, name)))
    const faults = [...faultsOfPrebuild(bytes, target), ...faultsOfInterpreter(...interpreter)]
    if (faults.length > 0) throw new Error(`the addon for ${target.name} is not fit to ship:\n  ${faults.join('\n  ')}`)
    return bytes
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function prebuildify(folder, { arch, libc, triple }) {
  const options = ['--napi', '--name=tracegate', '--tag-libc', `--arch=${arch}`, `--target=${process.versions.node}`]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/prebuildify/bin.js'), ...options],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      env: {
        ...process.env,
        ...headers(),
        npm_config_jobs: 'max',
        PREBUILD_LIBC: libc,
        PREBUILD_NODE_GYP: join(root, 'node_modules/.bin/node-gyp'),
        PATH: `${dirname(zig())}${delimiter}${process.env.PATH}`,
        CC: `zig cc -target ${triple}`,
        CXX: `zig c++ -target ${triple}`,
        CFLAGS: '',
        CXXFLAGS: '',
        // The addon needs no C++ library (src/allocation.cpp). Without this option zig would build one.
        LDFLAGS: '-nostdlib++',
      },
    },
  )
  if (status !== 0) throw new Error(`prebuildify failed:\n${stdout}${stderr}`)
}

/** Node's headers, if installed beside it. Otherwise node-gyp downloads them. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? { npm_config_nodedir: prefix } : {}
}
