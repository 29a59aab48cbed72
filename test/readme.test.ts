import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Channel } from '../lib/launch/channel.ts'
import { Child } from '../lib/launch/child.ts'
import { checkLaunchOptions } from '../lib/launch/options.ts'
import { Tracee } from '../lib/launch/tracee.ts'
import { describeNative } from './support/describe-native.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The code blocks of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!)
}

/** The commands that a console block shows, without their comments. */
const commands = blocks('console')
  .flatMap(block => block.split('\n'))
  .filter(line => line.startsWith('$ '))
  .map(line => line.slice(2).replace(/\s+#.*$/, ''))

function hasTool(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some(folder => existsSync(`${folder}/${name}`))
}

/** Numbers that differ from run to run, made alike. */
const masked = (text: string) => text.replaceAll(/ *[\d,]+ us/g, ' N us').replaceAll(/\b\d+\b/g, 'N')

/** Runs a shell line; a program that it holds (its pid is the first thing printed) is sent on. */
function run(line: string): Promise<{ stdout: string; status: number | null }> {
  const child = spawn('/bin/sh', ['-c', line], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const isPid = stdout === '' && /^\d+\n$/.test(text)
    stdout += text
    if (isPid) process.kill(Number(text), 'SIGCONT')
  })
  return new Promise(resolve => child.on('close', status => resolve({ stdout, status })))
}

describeNative('the README', () => {
  it('shows what npm start prints', () => {
    const shown = blocks('console')
      .find(block => block.includes('npm start'))!
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('$'))
      .join('\n')
    const { stdout, stderr, status } = spawnSync('npm', ['start', '--silent'], {
      cwd: root,
      encoding: 'utf8',
      timeout: 50_000,
    })
    expect(status).toBe(0)
    const printed = `${stdout}${stderr.slice(stderr.indexOf('tracegate: /bin/echo'))}`
    expect(masked(printed.trim())).toBe(masked(shown))
  })

  it.each(blocks('js').map((code, i) => [i + 1, code]))('has an example that runs: number %i', (_, code) => {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', code as string], {
      cwd: root,
      encoding: 'utf8',
      timeout: 30_000,
    })
    // What its comments say is printed.
    for (const [, said] of (code as string).matchAll(/console\.log\(.*\/\/ (?:… )?(\w+)$/gm)) {
      expect(output).toContain(said)
    }
    expect(output).toMatch(/hi\n|hello world/)
  })

  it.for(commands.filter(line => line.startsWith('tracegate')))(
    'names a command that works: %s',
    async (line, context) => {
      const tool = /'(gdb|strace) /.exec(line)?.[1]
      if (tool !== undefined && !hasTool(tool)) context.skip(`${tool} is not installed`)
      const command = line.replace(/^tracegate/, `'${process.execPath}' dist/cli/main.js`)
      const { stdout, status } = await run(command)
      expect(status).toBe(0)
      // gdb without a terminal attaches, finds nothing to do and detaches.
      expect(stdout).toMatch(/hi\n|will be detached|nothing found in|Launching works/)
    },
  )

  it('names the scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> }
    for (const [, name] of readme.matchAll(/npm (?:run )?(start|test|bench|model)\b/g)) {
      expect(Object.keys(scripts)).toContain(name)
    }
  })
})

/** What stands behind a heading, up to the next of its rank. */
function section(title: string): string {
  return readme.split(/^## /m).find(each => each.startsWith(title))!
}

/** The words in the code spans of a text: `one`, `two, three()`. */
function named(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].flatMap(([, span]) =>
    span!.split(',').map(word => /^\s*(?:Channel\.)?(\w+)/.exec(word)?.[1] ?? span!),
  )
}

describe('the README', () => {
  const limits = section('What does not work yet').replaceAll('\n  ', ' ').split('\n- ')

  it('lists options that launch() takes', () => {
    const rows = [...section('launch(').matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!)
    const options = rows.flatMap(named)
    expect(options.length).toBeGreaterThan(10)
    for (const option of options) expect(() => checkLaunchOptions({ [option]: undefined }), option).not.toThrow()
  })

  it('lists options that launch() refuses by name', () => {
    const options = named(limits.find(each => each.startsWith('Of launch()'))!)
    expect(options.length).toBeGreaterThan(20)
    for (const option of options) {
      expect(() => checkLaunchOptions({ [option]: undefined }), option).toThrow(`options.${option}`)
    }
  })

  it('names methods that there are', () => {
    const prose = section('launch(').replaceAll('\n', ' ')
    const has = (type: object, names: readonly string[], fields: readonly string[]) => {
      expect(names.length).toBeGreaterThan(5)
      expect(names.filter(name => !fields.includes(name) && !(name in type))).toEqual([])
    }
    has(Child.prototype, named(/A `Child` has (.*?), the events/.exec(prose)![1]!), [
      'pid',
      'stdin',
      'stdout',
      'stderr',
      'stdio',
      'exited',
    ])
    has(Tracee.prototype, named(/A `Tracee` adds (.*?) and the event/.exec(prose)![1]!), [])
    has(Channel.prototype, named(/A `Channel` is one byte for one notification: (.*?)\. /.exec(prose)![1]!), [
      'open',
      'timeoutMs',
      'signal',
      'signal }',
    ])
    expect(Channel.open).toBeTypeOf('function')
  })

  it('names files that there are', () => {
    const files = [
      ...[...readme.matchAll(/\]\(([\w/.-]+)\)/g)].map(([, path]) => path!),
      ...[...readme.matchAll(/\b(?:lib|src|dist)\/[\w/.-]*\w/g)].map(([path]) => path),
    ]
    expect(files.length).toBeGreaterThan(5)
    expect(files.filter(path => !existsSync(`${root}${path}`))).toEqual([])
  })

  it('does not name commands as missing that there are', () => {
    const missing = named(limits.find(each => each.startsWith('Of the command'))!.split('. ')[0]!)
    for (const name of missing) {
      const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', name], {
        cwd: root,
        encoding: 'utf8',
        timeout: 30_000,
      })
      expect({ name, status }).toEqual({ name, status: 2 })
      expect(stderr).toContain('unknown command')
    }
  })
})
