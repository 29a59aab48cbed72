import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'

const entry = new URL('../../dist/index.js', import.meta.url).href

/** What a program that imports the package says at its end, by `say()`. */
function saidBy(program: string): unknown {
  const before = `const part = /^NativeModule (stream|perf_hooks)$/
    const parts = () => process.moduleLoadList.filter(name => part.test(name))
    const already = parts()
    const { launch, openSystem } = await import('${entry}')
    const system = openSystem('native')
    let said
    const say = value => (said = value)\n`
  const after = '\nconsole.log(JSON.stringify(said))'
  const args = ['--input-type=module', '--eval', before + program + after]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

describeNative('the published entry', () => {
  it('loads neither streams nor performance hooks for a launch without pipes', () => {
    const program = `const child = await launch('/bin/true', [], { stdio: 'inherit', system })
      await child.run()
      say(parts().filter(name => !already.includes(name)))`
    expect(saidBy(program)).toEqual([])
  })
})
