/** The README is short, and every statement in it is checked. */

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeNative } from './support/describe-native.ts'
import { blocks, missingFrom, programs, read, root, runCode, section } from './support/pages.ts'
import { processLimitMs } from './support/time-limits.ts'

const readme = read('README.md')

describe('the README', () => {
  it('has fewer than 150 lines', () => {
    expect(readme.split('\n').length).toBeLessThan(150)
  })

  it('says how to install it before anything else, and how to work on it with the two commands that set it up', () => {
    expect(blocks('README.md', 'console')[0]).toBe('$ npm install tracegate\n')
    expect(section('README.md', 'Working on it')).toMatch(
      /^Working on it\n\n```console\n\$ npm start .*\n[^$]*\$ npm test /,
    )
  })

  it('leads to every page', () => {
    const pages = readdirSync(`${root}docs`).filter(name => name.endsWith('.md') && name !== 'README.md')
    expect(pages.length).toBeGreaterThan(10)
    for (const page of pages) expect(readme).toContain(`(docs/${page})`)
  })

  it('has figures of the speed that the page about it has', () => {
    const said = /in (\d+ us)\*\*, or (\d+ us) .* takes ([\d,]+ us), and ([\d,]+ us)/.exec(readme)!
    const row = (name: string) =>
      read('docs/speed.md')
        .split('\n')
        .find(line => line.startsWith(`| ${name} |`))!
        .split(' | ')
    const [, small, , large] = row('tracegate `launch()`')
    const [, spawned, , spawnedLarge] = row("child_process.spawn, to 'spawn'")
    expect(said.slice(1)).toEqual([small, large!.slice(0, -2), spawned, spawnedLarge!.slice(0, -2)])
  })
})

describeNative('the README, natively', () => {
  it('shows what npm start prints', () => {
    const block = blocks('README.md', 'console').find(each => each.includes('npm start'))!
    const shown = block.split('\n').filter(line => line !== '' && !line.startsWith('$'))
    const options = { cwd: root, encoding: 'utf8', timeout: processLimitMs } as const
    const { stdout, stderr, status } = spawnSync('npm', ['start', '--silent'], options)
    expect(status).toBe(0)
    expect(missingFrom(`${stdout}${stderr}`, shown.join('\n'))).toEqual([])
    expect(stderr.split('\n').filter(line => line.includes(' us  ')).length).toBe(
      shown.filter(line => line.includes(' us  ')).length,
    )
  })

  it.each(programs('README.md').map((code, i) => [i, code] as const))(
    'has code that prints what stands below it: number %i',
    async (i, code) => {
      expect(missingFrom(await runCode(code), blocks('README.md', 'text')[i]!)).toEqual([])
    },
  )
})
