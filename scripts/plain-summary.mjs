// A vitest reporter: a plain line with the counts, and under it what failed, for machines and for the end of a log.
//
// 41 passed, 1 failed, 2 skipped
// FAILED test/launch/options/options.test.ts > launch > takes a cwd
//   AssertionError: expected 1 to be 2
//   at test/launch/options/options.test.ts:31:20

import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'

const longestError = 30
const longestLine = 400

export default class PlainSummary {
  onInit(vitest) {
    this.root = vitest.config.root
  }

  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const failures = []
    const fail = (name, errors) => {
      counts.failed++
      failures.push(`FAILED ${name}`, ...errors.flatMap(error => this.#lines(error)))
    }
    for (const module of modules) {
      const file = relative(this.root, module.moduleId)
      // A file that fails to load has no failed tests, nor has a suite whose beforeAll fails: the error is theirs.
      if (module.errors().length > 0) fail(file, module.errors())
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) fail(`${file} > ${suite.fullName}`, suite.errors())
      }
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'failed') fail(`${file} > ${test.fullName}`, errors)
        else if (state in counts) counts[state]++
      }
    }
    for (const error of unhandledErrors) fail('outside of every test', [error])

    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`
    const text = [line, ...failures.map(failure => `${failure}\n`)].join('')
    if (process.env.TRACEGATE_SUMMARY) writeFileSync(process.env.TRACEGATE_SUMMARY, text)
    else process.stdout.write(line)
  }

  #lines({ name = 'Error', message = '', diff = '', stacks = [] }) {
    const said = [`${name}: ${message}`, diff].join('\n').trimEnd().split('\n')
    const cut = said.length > longestError ? [...said.slice(0, longestError), '...'] : said
    const [place] = stacks
    if (place) cut.push(`at ${relative(this.root, place.file)}:${place.line}:${place.column}`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal begin with an escape.
    return cut.map(text => `  ${text.replace(/\u001b\[\d*m/g, '').slice(0, longestLine)}`)
  }
}
