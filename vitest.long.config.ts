import { defineConfig } from 'vitest/config'
import quick from './vitest.config.ts'

// The proofs that take minutes: npm run test:long
export default defineConfig({ test: { ...quick.test, include: ['test/**/*.long.test.ts'], exclude: [] } })
