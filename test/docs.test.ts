/**
 * The pages of documentation: their code runs, and the names in them exist. readme.test.ts covers the README's
 * examples.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Channel } from '../lib/launch/channel/channel.ts'
import { Child } from '../lib/launch/handles/child.ts'
import { Tracee } from '../lib/launch/handles/tracee.ts'
import { checkLaunchOptions } from '../lib/launch/options/options.ts'
import { explore } from '../lib/sim/index.ts'
import { errnoOf } from '../lib/system/errno.ts'
import { compileModules } from './support/compile.ts'
import { describeNative } from './support/describe-native.ts'
import {
  blocks,
  missingFrom,
  pages,
  programs,
  read,
  root,
  runCode,
  runCommand,
  section,
  shownCommands,
  whyNoTool,
} from './support/pages.ts'
import { processLimitMs } from './support/time-limits.ts'

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

/** The first cells of a table's rows that are code. */
const firstCells = (text: string) => [...text.matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell!)

/** The words in the code spans of a text: `one`, `two, three()`. */
function named(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].flatMap(([, span]) =>
    span!.split(',').map(word => /^\s*(?:Channel\.)?(\w+)/.exec(word)?.[1] ?? span!),
  )
}

describeNative('the pages', () => {
  const withCode = pages.filter(page => page !== 'README.md' && programs(page).length > 0)
  const commands = pages.flatMap(shownCommands).filter(({ line }) => line.startsWith('tracegate '))

  it('have code and commands', () => {
    expect(withCode.length).toBeGreaterThan(8)
    expect(commands.length).toBeGreaterThan(15)
  })

  it.each(withCode)('%s has code that runs and prints what the page shows', async page => {
    const output = await runCode(programs(page).join())
    for (const shown of blocks(page, 'text')) expect(missingFrom(output, shown)).toEqual([])
    expect(output).not.toMatch(/^not ok/m)
  })

  // Some lines are on several pages.
  const ran = new Map<string, ReturnType<typeof runCommand>>()
  it.for(commands)('$page has a command that works: $line', async ({ line, output }, context) => {
    const tool = /'(gdb|lldb|strace|perf) /.exec(line)?.[1]
    const obstacle = tool === undefined ? undefined : whyNoTool(tool)
    if (obstacle !== undefined) context.skip(obstacle)
    if (!ran.has(line)) ran.set(line, runCommand(line))
    const { stdout, stderr, status } = await ran.get(line)!
    expect({ status, stderr }).toMatchObject({ status: 0 })
    // Without a terminal gdb attaches, has no commands and detaches.
    expect(stdout).toMatch(/hi\n|detached|nothing found in|under the schedule|Launching works|exited/)
    // The order of two streams is undefined. Each stream's lines are in order.
    if (output !== '') expect(missingFrom(`${stdout}\n${stderr}\n${stdout}`, output)).toEqual([])
  })
})

describe('each page', () => {
  it('has code that compiles, strictly', () => {
    const modules = new Map(
      pages.flatMap(page => programs(page).map((code, i): [string, string] => [`${page}-${i + 1}`, code])),
    )
    expect(modules.size).toBeGreaterThan(8)
    expect(compileModules(modules)).toEqual([])
  })

  it.each(pages)('%s names files and headings that are there', page => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
    for (const link of links.filter(each => !/^[a-z]+:/.test(each))) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      expect(existsSync(join(root, target)), link).toBe(true)
      if (anchor === undefined) continue
      const anchors = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading!
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      )
      expect(anchors, link).toContain(anchor)
    }
    const paths = read(page).matchAll(/`((?:lib|src|test|bench|examples|scripts|docs|prebuilds)\/[\w/.-]*\w)`/g)
    for (const [, path] of paths) if (path !== 'docs/api') expect(existsSync(join(root, path!)), path).toBe(true)
  })

  it.each(pages)('%s names scripts that there are', page => {
    for (const [, name] of read(page).matchAll(/\bnpm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name)
    for (const { line } of shownCommands(page)) {
      const [program, ...words] = line.split(' ')
      if (program === 'npx') expect(existsSync(join(root, 'node_modules/.bin', words[0]!)), line).toBe(true)
      for (const word of words) if (/^test\/.*\.ts$/.test(word)) expect(existsSync(join(root, word)), word).toBe(true)
    }
  })

  it('is in the index', () => {
    const names = readdirSync(`${root}docs`).filter(name => name.endsWith('.md') && name !== 'README.md')
    for (const name of names) expect(read('docs/README.md')).toContain(`(${name})`)
  })
})

describe('docs/launching.md', () => {
  it('lists the options that launch() takes, each of them', () => {
    const options = firstCells(section('docs/launching.md', 'Options')).flatMap(named)
    for (const option of options) expect(() => checkLaunchOptions({ [option]: undefined }), option).not.toThrow()
    const declared = /interface LaunchOptions \{(.*?)^\}/ms.exec(read('lib/launch/options/options.ts'))![1]!
    expect(options.toSorted()).toEqual(
      [...declared.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name).sort(),
    )
  })

  it('names methods that there are', () => {
    const prose = section('docs/launching.md', "The child's life").replaceAll('\n', ' ')
    const fields = ['pid', 'stdin', 'stdout', 'stderr', 'stdio', 'exited']
    const ofChild = named(/A `Child` has (.*?), the events/.exec(prose)![1]!)
    const ofTracee = named(/A `Tracee` adds (.*?) and the event/.exec(prose)![1]!)
    expect(ofChild.filter(name => !fields.includes(name) && !(name in Child.prototype))).toEqual([])
    expect(ofTracee.filter(name => !(name in Tracee.prototype))).toEqual([])
    const own = (type: object) => Object.getOwnPropertyNames(type).filter(name => !/^constructor$|^on|^lost/.test(name))
    expect(own(Tracee.prototype).filter(name => !ofTracee.includes(name))).toEqual([])
  })
})

describe('docs/channel.md', () => {
  it('names methods of Channel that there are, each of them', () => {
    const prose = section('docs/channel.md', 'Channel').replaceAll('\n', ' ')
    const methods = [...prose.matchAll(/`(?:Channel\.)?(\w+)\(/g)].map(([, name]) => name!)
    expect(methods.length).toBeGreaterThan(6)
    expect(methods.filter(name => !(name in Channel.prototype) && !(name in Channel))).toEqual([])
    const own = Object.getOwnPropertyNames(Channel.prototype).filter(name => !/^constructor$|Fd$/.test(name))
    expect(own.filter(name => !methods.includes(name))).toEqual([])
  })

  it('lists the actions of a child, each of them', () => {
    const actions = firstCells(section('docs/channel.md', 'Child programs')).flatMap(named)
    const known = [...read('lib/system/child-program.ts').matchAll(/readonly op: '(\w+)'/g)].map(([, op]) => op!)
    expect(known.length).toBeGreaterThan(10)
    expect(actions.toSorted()).toEqual(known.toSorted())
  })
})

describe('docs/limits.md', () => {
  it('does not name commands as missing that there are', () => {
    const [, name] = /There is no `(\w+)` command/.exec(read('docs/limits.md'))!
    const options = { cwd: root, encoding: 'utf8', timeout: processLimitMs } as const
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', name!], options)
    expect(status).toBe(2)
    expect(stderr).toContain('unknown command')
  })
})

describe('docs/errors.md', () => {
  const page = read('docs/errors.md')
  const sources = readdirSync(`${root}lib`, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => readFileSync(`${root}lib/${name}`, 'utf8'))
    .join('\n')

  it('has every code of errors and warnings, and no other', () => {
    const codes = [...sources.matchAll(/(?:code = |code: |Error\(.*\), |^ *)'(ERR_\w+|TRACEGATE_\w+)'/gm)].map(
      ([, code]) => code!,
    )
    // Node throws this one, for a URL.
    const own = new Set([...codes, 'ERR_INVALID_URL_SCHEME'])
    expect(own.size).toBeGreaterThan(14)
    expect([...page.matchAll(/^\| `((?:ERR|TRACEGATE)_\w+)` \|/gm)].map(([, code]) => code).sort()).toEqual(
      [...own].sort(),
    )
  })

  it('has errnos that there are, among them each that the doctor knows a cure for, with that cure', () => {
    const errnos = [...page.matchAll(/^\| `(E[A-Z0-9]+)`/gm)].map(([, code]) => code!)
    expect(errnos.length).toBeGreaterThan(15)
    for (const errno of errnos) expect(errnoOf(errno), errno).toBeTypeOf('number')
    const cures = [...read('lib/doctor/cures.ts').matchAll(/^ {2}(E\w+): '(.*)',$/gm)]
    expect(cures.length).toBeGreaterThan(3)
    const plain = page.replaceAll('`', '')
    for (const [, code, cure] of cures) expect(plain).toMatch(new RegExp(`^\\| ${code} \\|.*${escaped(cure!)}`, 'm'))
  })

  it('has the hints that errors give', () => {
    const hints = [...sources.matchAll(/hint: '(.*?)'|return '(it belongs .*?),/g)].map(([, a, b]) => a ?? b!)
    expect(hints.length).toBeGreaterThan(2)
    for (const hint of hints) expect(page).toContain(hint)
  })
})

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

describe('docs/testing-your-launcher.md', () => {
  /** The first column of the table whose heading contains this word. */
  const column = (heading: string) => {
    const table = read('docs/testing-your-launcher.md').split(`| ${heading} `)[1]!.split('\n\n')[0]!
    return [...table.matchAll(/^\| `'?([\w-]+)'?` \|/gm)].map(([, name]) => name!)
  }

  it('has the strategies that there are', async () => {
    const strategies = column('`strategy`')
    expect(strategies.length).toBeGreaterThan(3)
    for (const strategy of strategies) {
      const { failure } = await explore(() => {}, { strategy: strategy as 'bounded', maxSchedules: 1 })
      expect(failure).toBeUndefined()
    }
    const refused = explore(() => {}, { strategy: 'other' as 'bounded' })
    await expect(refused).rejects.toThrow(`'${strategies.join("', '")}'`)
  })
})

describe('the pictures', () => {
  it('are what the project draws', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-docs-'))
    try {
      execFileSync(process.execPath, [`${root}scripts/pictures.mjs`, folder], { timeout: processLimitMs })
      const drawn = readdirSync(folder)
      expect(drawn.length).toBeGreaterThan(2)
      const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text).join('\n')
      for (const name of drawn) {
        const shown = texts(read(`docs/${name}`))
        expect(shown.split('\n').length).toBeGreaterThan(8)
        expect(missingFrom(texts(readFileSync(join(folder, name), 'utf8')), shown), name).toEqual([])
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('of the rooms are what the imports say', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/graph.mjs', '--check'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('are each on a page', () => {
    const shown = pages.map(read).join('\n')
    for (const name of readdirSync(`${root}docs`).filter(each => each.endsWith('.svg'))) expect(shown).toContain(name)
  })
})

describe('CONTRIBUTING.md', () => {
  it('shows lines of an option that are in the files it names', () => {
    const [diff] = blocks('CONTRIBUTING.md', 'diff')
    let file = ''
    const lines = diff!.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(10)
    for (const line of lines) {
      if (line.startsWith('+++ ')) file = read(line.slice(4))
      else expect(file.split('\n').map(each => each.trim())).toContain(line.slice(1).trim())
    }
  })

  it('names files of a system call that have it', () => {
    const list = section('CONTRIBUTING.md', 'Adding a system call')
    const files = [...list.matchAll(/`((?:lib|src|test)\/[^`]+)`/g)].map(([, path]) => path!)
    expect(files.length).toBeGreaterThan(8)
    for (const file of files) expect(read(file), file).toMatch(/bytesReadable/i)
  })
})
