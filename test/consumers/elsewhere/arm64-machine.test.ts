import { beforeAll, describe, expect, inject, it } from 'vitest'
import { type FileResult, obtainParts, type Parts, runInMachine, whyNoMachine } from '../support/machine.ts'
import { skipped } from '../support/runtimes.ts'

// Of each part of the package that the kernel or the CPU has a say in, and at most a few minutes.
const files = [
  'test/contract/register-sets.test.ts',
  'test/contract/syscall-info.test.ts',
  'test/contract/tracee-memory.test.ts',
  'test/contract/tracing.test.ts',
  'test/native/child-process.test.ts',
  'test/launch/attempt/failures.test.ts',
  'test/launch/options/settings.test.ts',
  'test/launch/stdio/stdio-forms.test.ts',
  'test/launch/tracing/debug-register-probe.test.ts',
  'test/launch/tracing/debugger/breakpoints.test.ts',
  'test/launch/tracing/debugger/registers.test.ts',
  'test/launch/tracing/debugger/stepping.test.ts',
  'test/launch/tracing/tracee-32-bit-arm.test.ts',
  'test/launch/tracing/watchpoints.test.ts',
  'test/cli/run.test.ts',
]
const platform = 'linux-arm64-glibc'
const mostMs = 45 * 60_000

const lacking =
  whyNoMachine() ??
  (inject('platforms').includes(platform) ? undefined : `no up-to-date addon for ${platform} (npm run prebuild)`)
const parts: Parts | undefined = lacking === undefined ? await obtainParts() : undefined
const obtained = parts === undefined ? [{ whyNot: lacking }] : [parts.debian, parts.node, ...parts.addons]

describe.skipIf(skipped(...obtained))(`the tests on arm64, in an emulated machine${skipped(...obtained)}`, () => {
  let results: readonly FileResult[]
  beforeAll(async () => {
    results = await runInMachine(parts!, files, mostMs)
    const statuses = results.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status))
    const counted = (wanted: string) => statuses.filter(status => status === wanted).length
    const others = statuses.length - counted('passed') - counted('failed')
    console.info(`in the machine: ${counted('passed')} passed, ${counted('failed')} failed, ${others} skipped`)
  }, mostMs)

  it.each(files)('%s', name => {
    const { message, assertionResults } = results.find(each => each.name === name)!
    const failed = assertionResults.filter(({ status }) => status === 'failed')
    const shown = failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages?.[0]}`)
    expect({ message, failed: shown }).toEqual({ message: '', failed: [] })
    expect(assertionResults.some(({ status }) => status === 'passed')).toBe(true)
  })
})
