import { execFileSync } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { libc } from '../../lib/native/platform.ts'
import { builtAddon, prebuiltPath, withInstalledPackage as withPackage } from '../support/installed-package.ts'
import { whyNoNative } from '../support/native.ts'

type Where = Parameters<Parameters<typeof withPackage>[0]>[0]
/** With one file per inner module: some tests call these. */
const withInstalledPackage = <T>(use: (where: Where) => T) => withPackage(use, 'modules')

interface Outcome {
  from: string | null
  causes: string[]
  cure: string | null
  message: string | null
}

/** The result of loading an installed package's addon in a separate process. `before` runs first in that process. */
function load(
  installed: string,
  environment: Record<string, string> = {},
  before = '',
  options: readonly string[] = [],
): Outcome {
  const script = `
    ${before}
    const { searchAddon, loadAddon } = await import(${JSON.stringify(join(installed, 'dist/native/load-addon.js'))})
    const { provideAddon } = await import(${JSON.stringify(join(installed, 'dist/system/provided-addons.js'))})
    globalThis.prepare?.(provideAddon)
    const { from = null, causes, cure = null } = searchAddon()
    let message = null
    try { loadAddon() } catch (error) { message = error.message }
    console.log(JSON.stringify({ from, causes: causes.map(cause => cause.message), cure, message }))`
  const env = { ...process.env, PREBUILDS_ONLY: '', ...environment }
  return JSON.parse(
    execFileSync(process.execPath, [...options, '--input-type=module', '-e', script], { encoding: 'utf8', env }),
  ) as Outcome
}

/** A modified copy of this machine's addon, as another machine might build it. */
function altered(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(builtAddon)
  change(bytes)
  writeFileSync(path, bytes)
}

const asMusl = (bytes: Buffer) => bytes.write('libc.so\0\0', bytes.indexOf('libc.so.6\0'), 'latin1')
const withUnknownSymbol = (bytes: Buffer) => bytes.write('uv_poll_stare', bytes.indexOf('uv_poll_start\0'), 'latin1')
const skipped = whyNoNative === undefined ? '' : ` (skipped: ${whyNoNative})`

describe.skipIf(skipped !== '')(`loading the addon${skipped}`, () => {
  it('takes the prebuilt one for this platform where nothing was built', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      const { from, causes } = load(installed)
      expect(from).toBe(join(installed, prebuiltPath()))
      expect(causes).toEqual([`there is no ${join(installed, 'src/build/Release/tracegate.node')}`])
    }))

  it('takes one that was built here first, unless PREBUILDS_ONLY is set', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      put(builtAddon, 'src/build/Release/tracegate.node')
      expect(load(installed)).toMatchObject({ from: join(installed, 'src/build/Release/tracegate.node'), causes: [] })
      expect(load(installed, { PREBUILDS_ONLY: '1' })).toMatchObject({
        from: join(installed, prebuiltPath()),
        causes: [],
      })
    }))

  it('goes on to the prebuilt one when the one built here does not load, and keeps why', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      put(builtAddon, 'src/build/Release/tracegate.node')
      altered(join(installed, 'src/build/Release/tracegate.node'), withUnknownSymbol)
      const { from, causes } = load(installed)
      expect(from).toBe(join(installed, prebuiltPath()))
      expect(causes).toHaveLength(1)
      expect(causes[0]).toContain('uv_poll_stare')
    }))

  it('refuses one that was built for another architecture, and says so', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      const [machine, other] = process.arch === 'x64' ? [183, 'arm64'] : [62, 'x64']
      altered(join(installed, prebuiltPath()), bytes => bytes.writeUInt16LE(machine, 18))
      const { from, causes } = load(installed)
      expect(from).toBeNull()
      expect(causes[1]).toBe(`${join(installed, prebuiltPath())} is built for ${other}; this is ${process.arch}`)
    }))

  it.each([40, 40_000])('refuses one cut short to %i bytes, which would kill the process', bytes =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      truncateSync(join(installed, prebuiltPath()), bytes)
      expect(load(installed).causes[1]).toBe(`${join(installed, prebuiltPath())} is cut short`)
    }),
  )

  it('refuses a file that is no addon', () =>
    withInstalledPackage(({ installed, put }) => {
      put(join(import.meta.dirname, '../../package.json'), prebuiltPath())
      expect(load(installed).causes[1]).toBe(`${join(installed, prebuiltPath())} is not an ELF file`)
    }))

  it('names every cause, in the order of the attempts, and the command that builds it', () =>
    withInstalledPackage(({ installed }) => {
      const { from, causes, cure, message } = load(installed)
      expect(from).toBeNull()
      expect(causes).toEqual([
        `there is no ${join(installed, 'src/build/Release/tracegate.node')}`,
        `there is no ${join(installed, prebuiltPath())}`,
      ])
      for (const cause of causes) expect(message).toContain(cause)
      expect(cure).toMatch(/^with a C\+\+ compiler.*\n {4}npx .* -- node-gyp rebuild --directory=\S+/)
      expect(message?.endsWith(`\n${cure}`)).toBe(true)
    }))

  it('does not promise with PREBUILDS_ONLY that a built addon would be loaded', () =>
    withInstalledPackage(({ installed }) => {
      const { cure } = load(installed, { PREBUILDS_ONLY: '1' })
      expect(cure).toMatch(/^without PREBUILDS_ONLY in the environment, and with a C\+\+ compiler.*\n {4}npx /)
    }))

  it('names the option that allows addons where Node runs with --no-addons', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      const { from, cure, message } = load(installed, {}, '', ['--no-addons'])
      expect(from).toBeNull()
      expect(cure).toContain('--allow-addons')
      expect(message).not.toContain('node-gyp')
    }))

  it('takes one that a bundled program brought along before any other, if it is for this platform', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      const provide = (platform: string) =>
        `globalThis.prepare = provide => provide('${platform}', () => process.getBuiltinModule('module').createRequire('/')(${JSON.stringify(builtAddon)}))`
      const here = `linux-${process.arch}-${libc()}`
      expect(load(installed, {}, provide(here)).from).toBe(`tracegate/native/${here}`)
      expect(load(installed, {}, provide('linux-riscv64-glibc')).from).toBe(join(installed, prebuiltPath()))
    }))

  it('leaves the settings of the diagnostic report as they were', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      for (const setting of ['true', 'false']) {
        const before = `process.report.excludeNetwork = ${setting}
          process.on('exit', () => { if (process.report.excludeNetwork !== ${setting}) process.exitCode = 1 })`
        expect(load(installed, {}, before).from).toBe(join(installed, prebuiltPath()))
      }
    }))

  it.skipIf(libc() !== 'glibc')('refuses a musl build on glibc, and does not try it', () =>
    withInstalledPackage(({ installed, put }) => {
      put(builtAddon, prebuiltPath())
      altered(join(installed, prebuiltPath()), asMusl)
      const { from, causes } = load(installed)
      expect(from).toBeNull()
      expect(causes[1]).toBe(`${join(installed, prebuiltPath())} is built for musl; this is glibc`)
    }),
  )
})

describe('loading the addon on a machine it is not written for', () => {
  const loadOn = (key: 'arch' | 'platform', value: string) =>
    withInstalledPackage(({ installed }) =>
      load(installed, {}, `Object.defineProperty(process, '${key}', { value: '${value}' })`),
    )

  it('says which architectures there are, and gives no command', async () => {
    const { causes, cure, message } = await loadOn('arch', 'ia32')
    expect(causes).toEqual(['the native system needs x64 or arm64; this is ia32'])
    expect(cure).toBeNull()
    expect(message).not.toContain('npx')
  })

  it('says that it needs Linux', async () => {
    const { causes, cure } = await loadOn('platform', 'darwin')
    expect(causes).toEqual(['the native system needs Linux; this is darwin'])
    expect(cure).toBeNull()
  })
})
