import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/longest-first.mjs'

// What takes minutes on its own: npm run test:long
const long = 'test/**/*.long.test.ts'
const isLong = process.env.TRACEGATE_TESTS === 'long'

export default defineConfig({
  test: {
    include: [isLong ? long : 'test/**/*.test.ts'],
    // npm run test:consumers
    exclude: isLong ? [] : [long, 'test/consumers/**'],
    // Worker threads would share one process, and SIGCHLD, descriptors and children belong to a process.
    pool: 'forks',
    maxWorkers: '100%',
    // Explored worlds live shortly: with room for them they are never copied.
    execArgv: ['--max-semi-space-size=32'],
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env.CI ? ['default', './scripts/plain-summary.mjs'] : ['default'],
    setupFiles: ['test/support/simulated-kernel.ts', 'test/support/leaves-nothing.ts'],
  },
})
