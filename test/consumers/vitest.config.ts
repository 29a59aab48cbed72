import { defineConfig } from 'vitest/config'

const everything = process.env.TRACEGATE_CONSUMERS === 'all'

export default defineConfig({
  test: {
    // here/ needs only this machine's Node. elsewhere/ fetches other runtimes.
    include: [everything ? 'test/consumers/*/*.test.ts' : 'test/consumers/here/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters:
      process.env.CI || process.env.TRACEGATE_SUMMARY ? ['verbose', './scripts/plain-summary.mjs'] : ['verbose'],
    setupFiles: ['test/support/leaves-nothing.ts'],
    globalSetup: ['test/support/run-folder.ts', 'test/consumers/support/tarball.ts'],
  },
})
