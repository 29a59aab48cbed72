import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Project } from '../support/project.ts'

const here = fileURLToPath(new URL('../../../node_modules/', import.meta.url))

const uses = `
import { type Child, Channel, constants, launch, type LaunchOptions, openSystem, type System, type Tracee, type WaitStatus } from 'tracegate'
import { type Program, SimulatedKernel } from 'tracegate/sim'

const greet: Program = function* (process) {
  yield* process.write(1, new TextEncoder().encode(process.argv.join(' ')))
  return 7
}
const kernel = new SimulatedKernel({ seed: 1, clock: 'virtual', programs: { '/bin/greet': greet } })
const system: System = kernel.host
const kind: 'native' | 'simulated' = openSystem('simulated').kind
const options = { system, stdio: ['pipe', 'inherit', 'ignore'], timeoutMs: 1000 } as const satisfies LaunchOptions
const anyOptions: LaunchOptions = options

export async function main(): Promise<number | null> {
  using channel = Channel.open({ system, kind: 'socketpair' })
  channel.notify()
  await channel.wait({ timeoutMs: 1000 })
  const untraced: Child = await launch('/bin/greet', [], { ...options, trace: false })
  await untraced.exited
  const either: Child | Tracee = await launch('/bin/greet', [], anyOptions)
  await either.exited
  const piped = await launch('/bin/greet', ['you'], options)
  piped.stdin.end()
  const tracee: Tracee = piped
  const stop: WaitStatus | null = tracee.stop
  if (stop?.kind === 'stopped') tracee.cont(stop.signal)
  const [readFd, writeFd]: [number, number] = system.pipe2(constants.O_CLOEXEC)
  system.close(readFd)
  system.close(writeFd)
  return (await tracee.exited).code ?? (kind === 'native' ? 1 : 2)
}
`

const misuses = `
import { launch, Channel } from 'tracegate'
import { SimulatedKernel } from 'tracegate/sim'
launch(42)
launch('/bin/true', [], { timeout: 1 })
Channel.open({ kind: 'fifo' })
new SimulatedKernel({ clock: 'wall' })
`

describe('a strict TypeScript program that uses the package', () => {
  let project: Project
  beforeAll(async () => {
    project = await Project.installed()
    project.write('uses.ts', uses)
    project.write('misuses.ts', misuses)
    project.write('uses-by-require.cts', uses)
  })
  afterAll(() => project.remove())

  const compile = (files: readonly string[], resolution: string, ...options: readonly string[]) => {
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022']
    const types = ['--lib', 'es2023,esnext.disposable', '--types', 'node', '--typeRoots', `${here}@types`]
    const module = resolution === 'bundler' ? 'esnext' : resolution
    return project.run(process.execPath, [
      ...[`${here}typescript/bin/tsc`, ...strict, ...types, ...options],
      ...['--module', module, '--moduleResolution', resolution, ...files],
    ])
  }

  // The compiler must report nothing in `uses`, and every line of `misuses`.
  const misusedLines = (output: string) => output.split('\n').flatMap(line => /^(\w+\.\w+\(\d+)/.exec(line)?.[1] ?? [])
  const everyMisuse = [4, 5, 6, 7].map(line => `misuses.ts(${line}`)

  it.each(['node16', 'bundler'])('has its types by resolution %s', async resolution => {
    const { stdout } = await compile(['uses.ts', 'misuses.ts'], resolution, '--skipLibCheck')
    expect(misusedLines(stdout)).toEqual(everyMisuse)
  })

  it('has its types by resolution nodenext, as CommonJS too, and they are sound themselves', async () => {
    const { stdout } = await compile(
      ['uses.ts', 'misuses.ts', 'uses-by-require.cts'],
      'nodenext',
      '--skipLibCheck',
      'false',
    )
    expect(misusedLines(stdout)).toEqual(everyMisuse)
  })
})
