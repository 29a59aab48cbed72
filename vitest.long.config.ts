import { defineConfig } from 'vitest/config'
import quick from './vitest.config.ts'

const { projects: _, ...shared } = quick.test ?? {}

const repeated = [
  'cli/match-build',
  'cli/output-to-descriptor',
  'launch/attempt/killed-launcher',
  'launch/attempt/refused-calls',
  'launch/options/random-options',
  'launch/readiness/ready-sd-notify',
  'launch/robustness',
  'launch/tracing/asked-events',
  'launch/tracing/debugger/random-stops',
  'launch/tracing/late-traps',
  'launch/tracing/many-at-once',
  'launch/tracing/stop-all',
  'launch/tracing/unannounced',
  'model/framework',
  'native/environment',
  'native/workers',
  'sim/explore/sleeping-kills',
]

// The proofs that take minutes: npm run test:long
export default defineConfig({
  ...(quick.plugins && { plugins: quick.plugins }),
  test: {
    ...shared,
    include: [
      'test/**/*.long.test.ts',
      // Of the quick tests those that repeat something, here more often.
      ...repeated.map(name => `test/${name}.test.ts`),
    ],
    env: { TRACEGATE_ROUNDS: 'many' },
    // A process compiles the simulated kernel once: to do that anew takes a second of each exploration.
    isolate: false,
    // Explorations do not wait.
    maxWorkers: '100%',
    // Each processor has a worker: the collector's own threads would take turns with them.
    execArgv: [...(shared.execArgv ?? []), '--single-threaded-gc'],
  },
})
