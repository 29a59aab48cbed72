/** The cgroup that a program starts in. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { compileFixture } from '../../support/c-program.ts'
import { makeCgroups } from '../support/cgroups.ts'
import { whyNoCompiler } from '../support/compile.ts'
import { compileInside, lookInside } from '../support/look-inside.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { runNode } from '../support/node.ts'

const writable = makeCgroups()
const obstacle = whyNoCompiler ?? (writable.length === 0 ? 'no cgroup can be made' : undefined)
const title = `a launched program${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`

describeNative(title, () => {
  if (obstacle !== undefined) return it.skip('looks at itself', () => {})
  const program = compileInside()

  it.each(writable.flatMap(cgroup => modes.map(mode => ({ ...mode, ...cgroup }))))(
    'starts in the cgroup that is asked for, and this process stays in its own (version $version, $name)',
    async ({ path, ...mode }) => {
      const before = readFileSync('/proc/self/cgroup', 'latin1')
      const { cgroups } = await lookInside(program, { ...optionsOf(mode), cgroup: path })
      expect(cgroups.split('\n').some(line => line.endsWith(`/tracegate-${process.pid}`))).toBe(true)
      expect(readFileSync('/proc/self/cgroup', 'latin1')).toBe(before)
    },
  )

  it.each(writable)('joins it by itself where clone3 is refused (version $version)', async ({ path }) => {
    const behind = [compileFixture('restricted'), '--refuse', 'clone3', '--']
    const { reports, stderr } = await runNode(
      `const child = await launch('/bin/cat', ['/proc/self/cgroup'], { trace: false, cgroup: ${JSON.stringify(path)} })
      let text = ''
      for await (const chunk of child.stdout) text += chunk
      report(text.split('\\n').some(line => line.endsWith('/tracegate-${process.pid}')))`,
      { behind },
    )
    expect(reports, stderr).toEqual([true])
  })

  it.each(modes)('is not launched into a cgroup that there is not ($name)', async mode => {
    const cgroup = join(writable[0]!.path, 'none')
    const refused = launch(program, [], { ...optionsOf(mode), cgroup })
    await expect(refused).rejects.toMatchObject({ code: 'ENOENT', step: 'cgroup', path: cgroup })
  })
})

describeNative('a folder that is no cgroup', () => {
  it.each(modes)('is refused ($name)', async mode => {
    const refused = launch('/bin/true', [], { ...optionsOf(mode), cgroup: '/' })
    await expect(refused).rejects.toMatchObject({ code: 'ENOENT', step: 'cgroup', path: '/' })
  })
})
