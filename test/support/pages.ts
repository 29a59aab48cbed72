/** The pages of documentation: their code blocks, and the output of those. */

import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { processLimitMs } from './time-limits.ts'

/** The project's root, with a trailing slash. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every page written by hand, by its path from the root. */
export const pages: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bench/README.md',
  'prebuilds/README.md',
  ...readdirSync(`${root}docs`)
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]

/** The text of a page. */
export function read(page: string): string {
  return readFileSync(`${root}${page}`, 'utf8')
}

/** The code blocks of a language, in order. */
export function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!)
}

/**
 * A page's code, in JavaScript or TypeScript. Each block of the README stands alone. Any other page is one
 * program.
 */
export function programs(page: string): string[] {
  const code = blocks(page, '[jt]s')
  return page === 'README.md' ? code : code.length === 0 ? [] : [code.join('\n')]
}

/** The text below a second-level heading, up to the next one. */
export function section(page: string, heading: string): string {
  const found = read(page)
    .split(/^## /m)
    .find(each => each.startsWith(heading))
  if (found === undefined) throw new Error(`${page} has no section '${heading}'`)
  return found
}

/** A command of a console block, and the lines shown below it. */
export interface ShownCommand {
  readonly page: string
  readonly line: string
  readonly output: string
}

/** The commands of a page's console blocks, without their comments. */
export function shownCommands(page: string): ShownCommand[] {
  return blocks(page, 'console').flatMap(block =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(each => {
        const [line, ...output] = each.split('\n')
        return { page, line: line!.replace(/\s+#.*$/, ''), output: output.join('\n').trimEnd() }
      }),
  )
}

/**
 * Masks the parts of a line that vary between runs, or when a launch makes one more call: numbers, times,
 * addresses, padding.
 */
function essence(line: string): string {
  return line
    .replace(/^ *\d+ {2}/, '')
    .replaceAll(/0x[0-9a-f]+|\b[0-9a-f]{16}\b/g, 'N')
    .replaceAll(/\d+(?:[,.]\d+)*/g, 'N')
    .replaceAll(/[ ─]+/g, ' ')
    .trim()
}

/**
 * The shown lines that are missing from the output, or out of order. A line of `…` stands for any number of
 * lines.
 */
export function missingFrom(output: string, shown: string): string[] {
  const printed = output.split('\n').map(essence)
  let at = -1
  return shown
    .trimEnd()
    .split('\n')
    .filter(line => {
      if (line.trim() === '…') return false
      const found = printed.indexOf(essence(line), at + 1)
      if (found >= 0) at = found
      return found < 0
    })
}

/** Runs a TypeScript module from the root. Returns its output. */
export function runCode(code: string): Promise<string> {
  // Node 20 does not strip types.
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  const { outputText } = ts.transpileModule(code, { compilerOptions })
  return new Promise((resolve, reject) => {
    const args = ['--input-type=module', '-e', outputText]
    const child = execFile(process.execPath, args, { cwd: root, timeout: processLimitMs }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${error.message}\n${stdout}\n${stderr}`))
    })
    child.stdin?.end()
  })
}

/** The reason why a tool cannot run here, or undefined. */
export function whyNoTool(name: string): string | undefined {
  // Some distributions install a perf that only names the missing package.
  if (spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0) return `${name} is not installed`
  const paranoid = readSetting('/proc/sys/kernel/perf_event_paranoid')
  if (name === 'perf' && process.getuid?.() !== 0 && paranoid > 2) return `perf_event_paranoid is ${paranoid}`
  const scope = readSetting('/proc/sys/kernel/yama/ptrace_scope')
  if (name !== 'perf' && process.getuid?.() !== 0 && scope > 0) return `ptrace_scope is ${scope}`
  return undefined
}

/** A number in /proc/sys, or 0 if it does not exist. */
function readSetting(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
}

/** Runs a shell line of `tracegate …` from the root. Continues a program that it holds. */
export function runCommand(line: string): Promise<{ stdout: string; stderr: string; status: number | null }> {
  const command = line.replace(/^tracegate/, `'${process.execPath}' dist/cli/main.js`)
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: processLimitMs,
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text
    const held = / is held as process (\d+): [^\n]*\n/.exec(text)?.[1]
    if (held !== undefined) process.kill(Number(held), 'SIGCONT')
  })
  return new Promise(resolve => child.on('close', status => resolve({ ...said, status })))
}
