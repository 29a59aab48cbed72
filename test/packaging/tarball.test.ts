import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { prebuildPath, targets } from '../../scripts/prebuild/targets.mjs'
import { faultsOfChangelog, faultsOfManifest, faultsOfSize } from '../../scripts/release/faults.mjs'
import { withRepository } from '../../scripts/release/repository.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  exports: Record<string, string | Record<string, string>>
  bin: Record<string, string>
}
const compiled = existsSync(join(root, 'dist/index.js'))

describe.skipIf(!compiled)(`what npm packs${compiled ? '' : ' (skipped: lib is not compiled)'}`, () => {
  let files: string[]
  let executables: string[]
  beforeAll(() => {
    const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // npm 11 returns a list of packages, npm 12 an object.
    const [packed] = Object.values(JSON.parse(said) as Record<string, { files: { path: string; mode: number }[] }>)
    files = packed!.files.map(({ path }) => path)
    executables = packed!.files.filter(({ mode }) => (mode & 0o111) === 0o111).map(({ path }) => path)
  })
  const missing = (paths: readonly string[]) => paths.map(normalize).filter(path => !files.includes(path))

  it('is the library, its sources, what the addon is built of, the papers and the examples', () => {
    const folders = new Set(files.map(path => (path.includes('/') ? path.split('/')[0] : path)))
    expect([...folders].filter(name => name !== 'prebuilds').sort()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'bench',
      'bin',
      'dist',
      'docs',
      'examples',
      'lib',
      'package.json',
      'src',
    ])
  })

  it('has no file of the build itself', () => {
    expect(files.filter(path => /(^|\/)\.|\.o$|\.test\.|\.tsbuildinfo$/.test(path))).toEqual([])
    expect(files.filter(path => path.startsWith('src/build/'))).toEqual([])
    const addons = files.filter(path => path.startsWith('prebuilds/'))
    expect(addons.filter(path => !targets.map(prebuildPath).includes(path))).toEqual(['prebuilds/README.md'])
  })

  it('has every file that package.json names', () => {
    const named = [
      ...Object.values(manifest.exports).flatMap(each => Object.values(typeof each === 'string' ? [each] : each)),
      ...Object.values(manifest.bin),
    ]
    expect(missing(named)).toEqual([])
    expect(executables).toEqual(expect.arrayContaining(Object.values(manifest.bin).map(normalize)))
  })

  it('is few files of JavaScript, so that importing it takes little longer than starting a process', () => {
    const modules = files.filter(path => /^dist\/.*\.c?js$/.test(path) && !path.startsWith('dist/cli/'))
    expect(modules.sort()).toEqual(
      [
        'dist/index.js',
        ...targets.map(({ name }) => `dist/native/prebuilt/${name}.cjs`),
        'dist/shared/system.js',
        'dist/sim/index.js',
        'dist/syscalls/index.js',
      ].sort(),
    )
  })

  it('has source maps for all of them, the sources those lead to, and the declarations that the entries lead to', () => {
    const maps = files.filter(path => /^dist\/.*\.(c?js|d\.c?ts)$/.test(path)).map(path => `${path}.map`)
    expect(maps.length).toBeGreaterThan(50)
    expect(missing(maps)).toEqual([])
    const sources = maps.flatMap(path =>
      (JSON.parse(readFileSync(join(root, path), 'utf8')) as { sources: string[] }).sources.map(source =>
        join(dirname(path), source),
      ),
    )
    expect(missing([...new Set(sources)])).toEqual([])
    const declarations = files.filter(path => /^dist\/.*\.d\.ts$/.test(path))
    const named = declarations.flatMap(path =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/(?:from |import\()'(\.[^']*)\.ts'/g)].map(
        ([, name]) => `${join(dirname(path), name!)}.d.ts`,
      ),
    )
    expect(missing(named)).toEqual([])
  })

  it('has every file that its pages link to', () => {
    const pages = files.filter(path => path.endsWith('.md'))
    const links = pages.flatMap(page =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s#:]+)(?:#[^)]*)?\)/g)].map(([, link]) =>
        normalize(join(dirname(page), link!)).replace(/\/$/, ''),
      ),
    )
    expect(links.length).toBeGreaterThan(5)
    // A link may point to a folder.
    expect(links.filter(link => !files.some(path => path === link || path.startsWith(`${link}/`)))).toEqual([])
  })

  // npm ci, yarn and others build a package with a binding.gyp at its root, whatever its package.json says.
  it('has no binding.gyp at its root', () => {
    expect(files).not.toContain('binding.gyp')
    expect(files).toContain('src/binding.gyp')
  })

  it('has every source that src/binding.gyp names, and every header', () => {
    const binding = readFileSync(join(root, 'src/binding.gyp'), 'utf8')
    const named = [...binding.matchAll(/[\w./-]+\.(?:cpp|cjs|map)\b/g)].map(([path]) => join('src', path))
    expect(named.length).toBeGreaterThan(10)
    expect(missing(named.map(path => path.replace('src/../', 'src/')))).toEqual([])
    expect(files.filter(path => path.endsWith('.h')).length).toBeGreaterThan(4)
  })
})

describe('the package', () => {
  it('runs nothing when it is installed, and installs nothing else', () => {
    expect(faultsOfManifest(manifest)).toEqual([])
    expect(faultsOfManifest({ ...manifest, gypfile: undefined })).toEqual(['gypfile is not false'])
    expect(faultsOfManifest({ ...manifest, scripts: { install: 'node-gyp-build' } })).toEqual([
      'there is an install script: install',
    ])
    expect(faultsOfManifest({ ...manifest, dependencies: { left: '1.0.0' } })).toEqual([
      'users would have to install left',
    ])
    expect(faultsOfManifest({ ...manifest, version: '1.0' })).toEqual(['the version 1.0 is not a semantic one'])
  })

  it('is of the size that its README says', () => {
    const readme = 'It is 100 kB to download, 1.5 MB unpacked.'
    expect(faultsOfSize(readme, { size: 104_000, unpackedSize: 1_450_000 })).toBeUndefined()
    const isLarger = 'README.md does not say the size of the package: 110 kB to download, 1.5 MB unpacked'
    expect(faultsOfSize(readme, { size: 110_000, unpackedSize: 1_500_000 })).toBe(isLarger)
    expect(faultsOfSize(readme, { size: 100_000, unpackedSize: 1_600_000 })).toContain('1.6 MB unpacked')
    expect(faultsOfSize('', { size: 110_000, unpackedSize: 1_500_000 })).toBe(isLarger)
  })

  it('names the repository that the release runs in, as npm writes it, and nothing else is changed', () => {
    const text = readFileSync(join(root, 'package.json'), 'utf8')
    const github = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'some-owner/trace.gate' }
    const repository = { type: 'git', url: 'git+https://github.com/some-owner/trace.gate.git' }
    expect(JSON.parse(withRepository(text, github))).toEqual({ ...manifest, repository })
    expect(withRepository(withRepository(text, github), github)).toBe(withRepository(text, github))
    for (const wrong of [{}, { ...github, GITHUB_REPOSITORY: 'trace.gate' }, { ...github, GITHUB_SERVER_URL: '' }]) {
      expect(() => withRepository(text, wrong)).toThrow(/^GITHUB_\w+ names no/)
    }
  })

  it('has an entry in the changelog for its version', () => {
    expect(faultsOfChangelog(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), manifest.version)).toEqual([])
    expect(faultsOfChangelog('# Changes\n\n## 1.0.0 (2030-01-01)\n\n- All.\n', '1.1.0')).toEqual([
      'the newest entry of CHANGELOG.md is 1.0.0, not 1.1.0',
    ])
    expect(faultsOfChangelog('## 1.0.0 (soon)\n\n## 0.9.0 (2030-01-01)\n\n- All.\n', '1.0.0')).toEqual([
      'CHANGELOG.md gives 1.0.0 no date: soon',
      'CHANGELOG.md says nothing of 1.0.0',
    ])
  })
})
