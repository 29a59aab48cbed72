/**
 * An emulated arm64 machine with a real kernel, and so with ptrace, which qemu-user lacks. It runs test files of this
 * clone with the packed addon. Its disk is an initramfs: Debian's packages, Node, and this clone at its own path, with
 * the modules that this machine has transformed already, which takes an emulated one minutes.
 */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { obtainDebian } from './debian.ts'
import { run, succeed } from './run.ts'
import { type Obtained, obtain, obtainLocked } from './runtimes.ts'

const clone = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '')
const emulator = 'qemu-system-aarch64'
const init = fileURLToPath(new URL('../programs/machine-init.sh', import.meta.url))

const debian = [
  ...['linux-image-arm64', 'bash', 'coreutils', 'dash', 'sed', 'grep', 'gawk', 'procps', 'util-linux', 'mount'],
  ...['hostname', 'iproute2', 'libstdc++6', 'gcc', 'libc6-dev', 'libcap2-bin', 'strace', 'gdbserver'],
  ...['python3-minimal', 'binutils-arm-linux-gnueabihf'],
]

/** The addons of Vitest's own parts, and the file of each that its package names. */
const addons = {
  '@rolldown/binding-linux-arm64-gnu': 'rolldown-binding.linux-arm64-gnu.node',
  'lightningcss-linux-arm64-gnu': 'lightningcss.linux-arm64-gnu.node',
}

const wanted = ['bin', 'dist', 'docs', 'examples', 'lib', 'src', 'test', 'scripts', 'prebuilds', 'node_modules']
const papers = ['package.json', 'package-lock.json', 'binding.gyp', 'README.md', 'vitest.config.ts', 'tsconfig.json']
// Large, and not needed by the tests.
const unwanted = ['@biomejs', '@esbuild', '@rollup', '@shikijs', 'clang-format', 'typescript', 'typedoc', 'knip', 'zod']

/** All that the machine is made of. */
export interface Parts {
  readonly debian: Obtained
  readonly node: Obtained
  readonly addons: readonly Obtained[]
}

/** The reason why there can be no machine here; undefined if there can. */
export function whyNoMachine(): string | undefined {
  if (spawnSync(emulator, ['--version']).status !== 0) return `no ${emulator} here (apt-get install qemu-system-arm)`
  if (spawnSync('cpio', ['--version']).status !== 0) return 'no cpio here (apt-get install cpio)'
  return undefined
}

export async function obtainParts(): Promise<Parts> {
  const [root, node, ...others] = await Promise.all([
    obtainDebian('arm64', debian),
    obtain('nodeArm64'),
    ...Object.entries(addons).map(([name, file]) => obtainLocked(name, file)),
  ])
  return { debian: root!, node: node!, addons: others }
}

/** A file of tests that was run in the machine. */
export interface FileResult {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly {
    readonly fullName: string
    readonly status: string
    readonly failureMessages?: readonly string[]
  }[]
}

/** Boots the machine, runs the test files in it, and returns their results. It is gone then. */
export async function runInMachine(parts: Parts, files: readonly string[], timeoutMs: number): Promise<FileResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-machine-'))
  try {
    // No test of that name: the files are only loaded, which fills Vitest's cache. What they make then stays.
    const env = { TMPDIR: join(folder, 'tmp') }
    mkdirSync(env.TMPDIR)
    const load = ['run', '--experimental.fsModuleCache', '--maxWorkers=1', '--testNamePattern=^no such test$', ...files]
    await succeed(process.execPath, ['node_modules/vitest/vitest.mjs', ...load], { cwd: clone, env, timeoutMs })
    const archive = join(folder, 'initramfs')
    await pack(archive, parts.debian.program!, ['.'], ['./boot'])
    await pack(archive, '/', clonePaths(), [])
    await pack(archive, overlay(join(folder, 'overlay'), parts, files), ['.'], [])
    const { stdout } = await run('nice', ['-n', '10', emulator, ...machine(parts, archive)], { cwd: folder, timeoutMs })
    const results = /^RESULTS ([\w+/=]+)/m.exec(stdout)?.[1]
    if (results === undefined) throw new Error(`the machine told no results:\n${stdout.slice(-4000)}`)
    const seen = JSON.parse(Buffer.from(results, 'base64').toString()) as { testResults: FileResult[] }
    return seen.testResults.map(result => ({ ...result, name: result.name.replace(`${clone}/`, '') }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The emulator's arguments. QEMU 7.2 runs V8's code on a Cortex-A72; on its `max` V8 crashed now and then. */
function machine(parts: Parts, archive: string): string[] {
  const boot = join(parts.debian.program!, 'boot')
  const kernel = readdirSync(boot).find(name => name.startsWith('vmlinuz-'))
  return [
    ...['-machine', 'virt,gic-version=3', '-cpu', 'cortex-a72', '-smp', '2', '-m', '4096', '-nic', 'none'],
    ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-kernel', join(boot, kernel!), '-initrd', archive],
    ...['-append', 'console=ttyAMA0 quiet loglevel=0 panic=-1 mitigations=off rdinit=/init'],
  ]
}

/** The clone's files, and the folders above them, for a shell in /. */
function clonePaths(): string[] {
  const above: string[] = []
  for (let at = clone; at !== '/'; at = dirname(at)) above.unshift(at.slice(1))
  return [...above.map(path => `=${path}`), ...[...wanted, ...papers].map(name => join(clone, name).slice(1))]
}

/** What the machine has beside Debian's packages and the clone. */
function overlay(folder: string, parts: Parts, files: readonly string[]): string {
  const copy = (from: string, to: string) => cpSync(from, join(folder, to), { recursive: true })
  copy(parts.node.program!, 'usr/local/bin/node')
  copy(init, 'init')
  Object.keys(addons).forEach((name, i) => {
    copy(dirname(parts.addons[i]!.program!), join(clone.slice(1), 'node_modules', name))
  })
  const now = Math.floor(Date.now() / 1000)
  writeFileSync(join(folder, 'machine.env'), `now=${now}\nclone='${clone}'\nfiles='${files.join(' ')}'\n`)
  mkdirSync(join(folder, 'tmp'))
  return folder
}

/** Appends an archive of these paths to a file. `=PATH`: that folder without what is in it. */
async function pack(archive: string, cwd: string, paths: readonly string[], without: readonly string[]): Promise<void> {
  const script = `
    archive=$1; shift
    for path; do
      case $path in
        =*) echo "\${path#=}" ;;
        *) find "$path" \\( ${[...unwanted, '*linux-x64*'].map(name => `-name '${name}'`).join(' -o ')} \
          ${without.map(path => `-o -path '${path}'`).join(' ')} \\) -prune -o -print ;;
      esac
    done | cpio --quiet --create --format=newc --owner=0:0 >>"$archive"`
  await succeed('/bin/bash', ['-euo', 'pipefail', '-c', script, '-', archive, ...paths], { cwd })
}
