import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from '@rollup/wasm-node'
import { describe, expect, it } from 'vitest'
import { libc } from '../../lib/native/platform.ts'
import { builtAddon, prebuiltPath, withInstalledPackage } from '../support/installed-package.ts'
import { whyNoNative } from '../support/native.ts'

// Runs esbuild by its command: its JavaScript API leaves a process running.
const esbuild = join(import.meta.dirname, '../../node_modules/.bin/esbuild')
const platform = `linux-${process.arch}-${libc()}`
const launching = `
  import { launch, openSystem } from 'tracegate'
  const kind = (() => { try { return openSystem('native').kind } catch (error) { return error.message } })()
  if (kind === 'native') {
    launch('/bin/echo', ['hello'], { stdio: 'inherit', system: openSystem('native') }).then(tracee => tracee.run())
  } else {
    console.log(kind)
  }`
const simulating = `
  const opened = () => { try { return openSystem('simulated') } catch (error) { console.log(error.message) } }
  const system = opened()
  const isSystemError = action => { try { action() } catch (error) { return error instanceof SystemError } }
  if (system !== undefined) console.log(system.kind, isSystemError(() => system.close(99)))`
const withoutKernel = `import { openSystem, SystemError } from 'tracegate'\n${simulating}`
const withKernel = `import { SimulatedKernel } from 'tracegate/sim'
  ${withoutKernel}
  console.log(isSystemError(() => new SimulatedKernel().host.close(99)))`
const naming = `import { syscallName } from 'tracegate'
  try { console.log(syscallName(221, 'arm64')) } catch (error) { console.log(error.message) }`
const withNames = `import 'tracegate/syscalls'\n${naming}`
const missingNames = "the names of system calls are not in this bundle: import 'tracegate/syscalls' into it\n"
const missingKernel =
  "the simulated system is not in this bundle: import 'tracegate/sim' into it, before openSystem()\n"
const formats = [
  { format: 'cjs', file: 'app.cjs', banner: '' },
  {
    format: 'esm',
    file: 'app.mjs',
    banner: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`,
  },
] as const

/** Bundles a program in a project that has the package, and runs the bundle in an empty folder. */
async function bundleAndRun(
  source: string,
  { format, file, banner }: (typeof formats)[number],
  beside: 'nothing' | 'prebuilds' = 'nothing',
): Promise<{ output: string; files: string[] }> {
  const away = mkdtempSync(join(tmpdir(), 'tracegate-bundle-'))
  try {
    await withInstalledPackage(({ project, installed, put }) => {
      put(builtAddon, prebuiltPath())
      writeFileSync(join(project, 'app.js'), source)
      execFileSync(esbuild, [
        join(project, 'app.js'),
        `--outfile=${join(away, file)}`,
        ...['--bundle', '--platform=node', `--format=${format}`, `--banner:js=${banner}`, '--loader:.node=copy'],
        // Expected warning: CommonJS has no import.meta. The library allows for that.
        ...['--log-override:empty-import-meta=silent', '--log-level=warning'],
      ])
      if (beside === 'prebuilds') cpSync(join(installed, 'prebuilds'), join(away, 'prebuilds'), { recursive: true })
    })
    const files = readdirSync(away)
    return { output: execFileSync(process.execPath, [join(away, file)], { encoding: 'utf8', cwd: '/' }), files }
  } finally {
    rmSync(away, { recursive: true, force: true })
  }
}

const skipped = whyNoNative === undefined ? '' : ` (skipped: ${whyNoNative})`

describe.skipIf(skipped !== '')(`a program bundled by esbuild${skipped}`, () => {
  describe.each(formats.map(each => [each.format, each] as const))('as %s', (_, format) => {
    it('takes the addon along that it imports by its platform', async () => {
      const { output, files } = await bundleAndRun(`import 'tracegate/native/${platform}'\n${launching}`, format)
      expect(output).toBe('hello\n')
      expect(files.filter(name => /^tracegate\..*\.node$/.test(name))).toHaveLength(1)
    })

    it('finds the prebuilds folder that was copied beside it', async () => {
      const { output } = await bundleAndRun(launching, format, 'prebuilds')
      expect(output).toBe('hello\n')
    })

    it('says where it looked when it has neither', async () => {
      const { output } = await bundleAndRun(launching, format)
      expect(output).toContain('the native system is not available here')
      expect(output).toMatch(new RegExp(`there is no .*tracegate-bundle-[^/]*/${prebuiltPath()}`))
      expect(output).toContain(`import 'tracegate/native/${platform}' into the bundle`)
      expect(output).not.toContain('node-gyp')
    })

    it('has the simulated system when it imports it, with one set of error classes', async () => {
      const { output } = await bundleAndRun(withKernel, format)
      expect(output).toBe('simulated true\ntrue\n')
    })

    it('says how to have the simulated system when it does not import it', async () => {
      const { output } = await bundleAndRun(withoutKernel, format)
      expect(output).toBe(missingKernel)
    })

    it('has the names of system calls when it imports them, and else says how to', async () => {
      expect((await bundleAndRun(withNames, format)).output).toBe('execve\n')
      expect((await bundleAndRun(naming, format)).output).toBe(missingNames)
    })
  })
})

describe.skipIf(skipped !== '')(`a program bundled by rollup${skipped}`, () => {
  describe.each(['es', 'cjs'] as const)('as %s', format => {
    const rolledUp = async (source: string) => {
      const away = mkdtempSync(join(tmpdir(), 'tracegate-bundle-'))
      try {
        const file = join(away, format === 'es' ? 'app.mjs' : 'app.cjs')
        await withInstalledPackage(async ({ project, installed, put }) => {
          put(builtAddon, prebuiltPath())
          writeFileSync(join(project, 'app.js'), source)
          const bundle = await rollup({
            input: join(project, 'app.js'),
            plugins: [nodeResolve()],
            external: [/^node:/],
            logLevel: 'silent',
          })
          await bundle.write({ file, format })
          await bundle.close()
          cpSync(join(installed, 'prebuilds'), join(away, 'prebuilds'), { recursive: true })
        })
        return execFileSync(process.execPath, [file], { encoding: 'utf8', cwd: '/' })
      } finally {
        rmSync(away, { recursive: true, force: true })
      }
    }

    it('finds the prebuilds folder that was copied beside it', async () => {
      expect(await rolledUp(launching)).toBe('hello\n')
    })

    it('has the simulated system when it imports it, with one set of error classes', async () => {
      expect(await rolledUp(withKernel)).toBe('simulated true\ntrue\n')
    })

    it('says how to have the simulated system when it does not import it', async () => {
      expect(await rolledUp(withoutKernel)).toBe(missingKernel)
    })

    it('has the names of system calls when it imports them, and else says how to', async () => {
      expect(await rolledUp(withNames)).toBe('execve\n')
      expect(await rolledUp(naming)).toBe(missingNames)
    })
  })
})

describe('the entry points for bundlers', () => {
  const root = join(import.meta.dirname, '../..')
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string>
  }

  it.each(['x64', 'arm64'].flatMap(arch => ['glibc', 'musl'].map(each => [arch, each] as const)))(
    'there is one for linux %s %s, which names its addon',
    (arch, ofLibc) => {
      const name = `linux-${arch}-${ofLibc}`
      expect(exports[`./native/${name}`]).toBe(`./dist/native/prebuilt/${name}.cjs`)
      const source = readFileSync(join(root, `lib/native/prebuilt/${name}.cts`), 'utf8')
      expect(source).toContain(`provideAddon('${name}'`)
      expect(source).toContain(`require('../../../${prebuiltPath(arch, ofLibc)}')`)
    },
  )
})
