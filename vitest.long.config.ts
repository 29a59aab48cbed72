import { defineConfig } from 'vitest/config'
import quick from './vitest.config.ts'

const { projects: _, ...shared } = quick.test ?? {}

// The proofs that take minutes: npm run test:long
export default defineConfig({
  test: {
    ...shared,
    include: [
      'test/**/*.long.test.ts',
      ...['attempt/killed-launcher', 'options/random-options', 'robustness', 'tracing/debugger/random-stops'].map(
        inLaunch,
      ),
    ],
    env: { TRACEGATE_ROUNDS: 'many' },
    // A process compiles the simulated kernel once: to do that anew takes a second of each exploration.
    isolate: false,
    // Explorations do not wait.
    maxWorkers: '100%',
  },
})

/** A file of the quick tests that repeats something, here more often. */
function inLaunch(name: string): string {
  return `test/launch/${name}.test.ts`
}
