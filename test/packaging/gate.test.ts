import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { libc } from '../../lib/native/platform.ts'
import { readElf } from '../../scripts/prebuild/elf.mjs'
import { faultsOfInterpreter, faultsOfPrebuild } from '../../scripts/prebuild/gate.mjs'
import { prebuildPath, targets } from '../../scripts/prebuild/targets.mjs'
import { whyNoCompiler } from '../support/c-program.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const here = { arch: process.arch, libc: 'glibc' }

const whySkipped = process.platform !== 'linux' || libc() !== 'glibc' ? 'it compiles with glibc' : whyNoCompiler

describe.skipIf(whySkipped !== undefined)(
  `the gate for prebuilt addons${whySkipped === undefined ? '' : ` (skipped: ${whySkipped})`}`,
  () => {
    let folder: string
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'tracegate-gate-'))
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    const entries = 'void napi_register_module_v1(void) {} void node_api_module_get_api_version_v1(void) {}'
    const link = ['-shared', '-fPIC', '-Wl,-z,nodelete', '-Wl,--no-as-needed']
    const library = (name: string, source: string, options: readonly string[]) => {
      const file = join(folder, name)
      execFileSync('cc', ['-x', 'c', '-', '-x', 'none', '-o', file, ...options], { input: source })
      return file
    }
    const addon = ({ source = '', options = [] as readonly string[], links = [...link, '-Wl,-s'] } = {}) =>
      readFileSync(library('addon.node', `${entries} ${source}`, [...links, ...options]))

    it('lets a small stripped library through that needs libc alone', () => {
      expect(faultsOfPrebuild(addon(), here)).toEqual([])
    })

    it('stops one that is too large', () => {
      const source = 'const char large[160000] = {1}; const char *use(void) { return large; }'
      expect(faultsOfPrebuild(addon({ source }), here)).toContainEqual(
        expect.stringMatching(/^has 1[67]\d{4} bytes, more than 153600$/),
      )
    })

    it('stops one that is for another architecture', () => {
      const other = process.arch === 'x64' ? 'arm64' : 'x64'
      expect(faultsOfPrebuild(addon(), { ...here, arch: other })).toEqual([
        `is built for ${process.arch}, not for ${other}`,
      ])
    })

    it('stops one that is not stripped', () => {
      expect(faultsOfPrebuild(addon({ links: link }), here)).toEqual(['is not stripped: .symtab'])
      expect(faultsOfPrebuild(addon({ links: link, options: ['-g'] }), here)[0]).toContain('.debug_info')
    })

    it('stops one for musl that needs glibc', () => {
      expect(faultsOfPrebuild(addon(), { ...here, libc: 'musl' })).toContain('needs libraries beyond musl: libc.so.6')
    })

    it('stops one that needs a library of the machine, a C++ library say', () => {
      const other = library('libstdc++.so.6', 'void other(void) {}', ['-shared', '-fPIC', '-Wl,-soname,libstdc++.so.6'])
      expect(faultsOfPrebuild(addon({ options: [other] }), here)).toEqual([
        'needs libraries beyond glibc: libstdc++.so.6',
      ])
    })

    it('stops one that leaves pieces of a C++ library to be found', () => {
      const source =
        'void *_Znwm(unsigned long); __attribute__((visibility("hidden"))) void *make(void) { return _Znwm(1); }'
      expect(faultsOfPrebuild(addon({ source }), here)).toEqual(['needs a C++ runtime library: _Znwm'])
    })

    it('stops one that needs a newer glibc than 2.28, and no other', () => {
      const withVersion = (version: string) => {
        const map = library('map.c', '', ['-E'])
        execFileSync('sh', ['-c', `echo '${version} { global: newest; };' > "$1"`, 'sh', map])
        const fake = library('libc-of-tomorrow.so', 'void newest(void) {}', [
          ...['-shared', '-fPIC', '-nostdlib', '-Wl,-soname,libc.so.6', `-Wl,--version-script,${map}`],
        ])
        const source = 'void newest(void); __attribute__((visibility("hidden"))) void use(void) { newest(); }'
        return faultsOfPrebuild(addon({ source, options: [fake] }), here)
      }
      expect(withVersion('GLIBC_2.28')).toEqual([])
      expect(withVersion('GLIBC_2.29')).toEqual(['needs more than glibc 2.28: GLIBC_2.29'])
      expect(withVersion('GLIBC_2.100')).toEqual(['needs more than glibc 2.28: GLIBC_2.100'])
      expect(withVersion('GLIBC_PRIVATE')).toEqual(['needs more than glibc 2.28: GLIBC_PRIVATE'])
    })

    it('stops one that gives more than Node looks up, or less', () => {
      expect(faultsOfPrebuild(addon({ source: 'void mine(void) {}' }), here)).toEqual([
        'gives symbols that are its own affair: mine',
      ])
      expect(faultsOfPrebuild(addon({ options: ['-Dnapi_register_module_v1=other'] }), here)).toEqual([
        'gives symbols that are its own affair: other',
        'does not give: napi_register_module_v1',
      ])
    })

    it('stops one that may be unloaded', () => {
      const links = ['-shared', '-fPIC', '-Wl,--no-as-needed', '-Wl,-s']
      expect(faultsOfPrebuild(addon({ links }), here)).toEqual(['may be unloaded (-z nodelete is missing)'])
    })

    it('stops an interpreter that calls into libc', () => {
      const object = (source: string) => readFileSync(library('interpreter.o', source, ['-c', '-O1', '-fPIC']))
      expect(faultsOfInterpreter(object('int run(int x) { return x + 1; }'))).toEqual([])
      expect(faultsOfInterpreter(object('int getpid(void); int run(void) { return getpid() + 1; }'))).toEqual([
        "the child's interpreter calls getpid",
      ])
    })

    it.skipIf(spawnSync('nm', ['--version']).status !== 0)('reads the symbols that nm reads', () => {
      const file = join(root, 'build/Release/tracegate.node')
      const names = execFileSync('nm', ['-D', '-P', '--undefined-only', file], { encoding: 'utf8' })
        .split('\n')
        .filter(line => line !== '')
        .map(line => line.split(/[ @]/)[0]!)
      expect(readElf(readFileSync(file)).undefined).toEqual([...new Set(names)].sort())
    })
  },
)

const made = targets.filter(target => existsSync(join(root, prebuildPath(target))))

describe.skipIf(made.length === 0)(
  `the prebuilt addons${made.length === 0 ? ' (skipped: npm run prebuild makes them)' : ''}`,
  () => {
    it.each(made.map(target => [target.name, target] as const))('%s is fit to ship', (_, target) => {
      expect(faultsOfPrebuild(readFileSync(join(root, prebuildPath(target))), target)).toEqual([])
    })
  },
)

describe('the build of this clone', () => {
  const file = join(root, 'build/Release/tracegate.node')
  it.skipIf(!existsSync(file))(
    'needs no C++ runtime library and gives only what Node looks up, whatever compiler made it',
    () => {
      const { needed, undefined: missing, exported } = readElf(readFileSync(file))
      expect(needed.filter(name => name.includes('++'))).toEqual([])
      expect(missing.filter(name => name.startsWith('_Z'))).toEqual([])
      expect(exported).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1'])
    },
  )
})
