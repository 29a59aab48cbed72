import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'

const entry = new URL('../../dist/index.js', import.meta.url).href

/** What a program that imports the package says at its end, by `say()`. */
function saidBy(program: string): unknown {
  const before = `const parts = () => process.moduleLoadList.filter(name => /^NativeModule (stream|perf_hooks)$/.test(name))
    const already = parts()
    const { ChildReadable, launch, openSystem } = await import('${entry}')
    const system = openSystem('native')
    let said
    const say = value => (said = value)\n`
  const after = '\nconsole.log(JSON.stringify(said))'
  const args = ['--input-type=module', '--eval', before + program + after]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

describeNative('the published entry', () => {
  it('loads neither streams nor performance hooks for a launch that makes none', () => {
    const program = `const child = await launch('/bin/true', [], { stdio: 'inherit', system })
      await child.run()
      say(parts().filter(name => !already.includes(name)))`
    expect(saidBy(program)).toEqual([])
  })

  it('gives its streams all of Node’s stream class, whenever that is loaded', () => {
    const program = `const isNone = {} instanceof ChildReadable
      const child = await launch('/bin/echo', ['hello'], { stdio: ['ignore', 'pipe', 'pipe'], trace: false, system })
      const { Readable } = await import('node:stream')
      const streams = [child.stdout, child.stderr].map(stream => stream instanceof Readable && stream instanceof ChildReadable)
      say([isNone, ...streams, (await child.stdout.toArray()).join(''), Readable.isPrototypeOf(ChildReadable)])
      await child.exited`
    expect(saidBy(program)).toEqual([false, true, true, 'hello\n', true])
  })
})
