import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/longest-first.mjs'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // npm run test:long, npm run test:consumers
    exclude: ['test/**/*.long.test.ts', 'test/consumers/**'],
    // Worker threads would share one process, and SIGCHLD, descriptors and children belong to a process.
    pool: 'forks',
    maxWorkers: '100%',
    // Explored worlds are short-lived: with this much room few of them are copied.
    execArgv: ['--max-semi-space-size=32'],
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env.CI ? ['default', './scripts/plain-summary.mjs'] : ['default'],
    setupFiles: ['test/support/lazy-modules.ts', 'test/support/leaves-nothing.ts'],
  },
})
