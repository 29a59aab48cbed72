import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { platformName } from '../../../lib/native/platform.ts'
import { everythingWorks, resultOf, scenarioSeen } from '../support/expected.ts'
import { Project } from '../support/project.ts'
import { obtainBundlers, skipped } from '../support/runtimes.ts'

const rollup = await obtainBundlers()

// Rollup has no file loader: a few lines of configuration put the addon beside the bundle.
const configuration = `
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { pathToFileURL } from 'node:url'
const from = name => import(pathToFileURL('${rollup.program ?? ''}/' + name))
const { default: commonjs } = await from('@rollup/plugin-commonjs/dist/es/index.js')
const { default: nodeResolve } = await from('@rollup/plugin-node-resolve/dist/es/index.js')
const addons = {
  name: 'addons',
  load(id) {
    if (!id.endsWith('.node')) return null
    const reference = this.emitFile({ type: 'asset', name: 'tracegate.node', source: readFileSync(id) })
    return "import { createRequire } from 'node:module'\\n" +
      \`export default createRequire(import.meta.url)(new URL(import.meta.ROLLUP_FILE_URL_\${reference}).pathname)\`
  },
}
export default {
  external: id => id.startsWith('node:') || builtinModules.includes(id),
  plugins: [addons, nodeResolve(), commonjs({ requireReturnsDefault: 'auto' })],
  output: { dir: 'out', format: 'es', inlineDynamicImports: true, entryFileNames: '[name].mjs' },
  onwarn: warning => {
    // Of the compiled library's cycles, which only call each other later, and of TypeScript's helpers for \`using\`.
    if (!['CIRCULAR_DEPENDENCY', 'THIS_IS_UNDEFINED'].includes(warning.code)) throw new Error(warning.message)
  },
}
`

describe.skipIf(rollup.whyNot)(`a program bundled by Rollup${skipped(rollup)}`, () => {
  let project: Project
  let away: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.add('exercise.mjs', 'esm.mjs', 'scenario.mjs', 'in-console.mjs')
    project.write('rollup.config.mjs', configuration)
    away = new Project()
  })
  afterAll(() => {
    project.remove()
    away.remove()
  })

  const bundle = async (entry: string) => {
    const command = join(rollup.program!, 'rollup/dist/bin/rollup')
    await project.succeed(process.execPath, [command, '--silent', '--config', 'rollup.config.mjs', '--input', entry])
    cpSync(project.path('out'), away.path('out'), { recursive: true })
  }

  it('brings the addon along by the entry point of the platform', async () => {
    project.write('app.mjs', `import 'tracegate/native/${platformName()}'\nimport './esm.mjs'\n`)
    await bundle('app.mjs')
    const { status, stdout, stderr } = await away.run(process.execPath, ['out/app.mjs'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(resultOf(stdout)).toEqual({ native: everythingWorks('native'), simulated: everythingWorks('simulated') })
  })

  it('has a simulated kernel that needs nothing of Node', async () => {
    await bundle('in-console.mjs')
    expect(resultOf(await away.succeed(process.execPath, ['out/in-console.mjs']))).toEqual(scenarioSeen)
  })
})
