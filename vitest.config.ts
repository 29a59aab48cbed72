import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/longest-first.mjs'
import { compiledImports, compiledModules } from './test/support/compiled-imports.ts'
import { pollLimitMs, testLimitMs } from './test/support/time-limits.ts'

const include = ['test/**/*.test.ts']
// npm run test:long, npm run test:consumers
const exclude = ['test/**/*.long.test.ts', 'test/consumers/**']
// Those that need a process of their own: one watches SIGCHLD in another way, others take memory away from buffers.
const alone = ['native/polled-loop', 'contract/vanished-memory', 'contract/same-refusals'].map(
  name => `test/${name}.test.ts`,
)

export default defineConfig({
  plugins: [compiledImports()],
  test: {
    // Worker threads would share one process, and SIGCHLD, descriptors and children belong to a process.
    pool: 'forks',
    // Many tests wait for other processes.
    maxWorkers: availableParallelism() * 2,
    // Explored worlds are short-lived: with this much room few of them are copied.
    execArgv: ['--max-semi-space-size=32'],
    server: { deps: { external: [compiledModules] } },
    sequence: { sequencer: LongestFirst },
    testTimeout: testLimitMs,
    hookTimeout: testLimitMs,
    expect: { poll: { timeout: pollLimitMs } },
    reporters:
      process.env.CI || process.env.TRACEGATE_SUMMARY ? ['default', './scripts/plain-summary.mjs'] : ['default'],
    globalSetup: 'test/support/run-folder.ts',
    setupFiles: ['test/support/lazy-modules.ts', 'test/support/leaves-nothing.ts'],
    projects: [
      // The files that a process runs share the modules: to load them anew takes longer than most files' tests.
      {
        extends: true,
        test: { name: 'together', include, exclude: [...exclude, ...alone], isolate: false },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
})
