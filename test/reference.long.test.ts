/** The reference that the package has: typedoc makes it of the docstrings. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './support/pages.ts'

describe('the reference', () => {
  it('is made of the docstrings, with a page for each export', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-api-'))
    try {
      execFileSync(process.execPath, ['node_modules/typedoc/bin/typedoc', '--out', folder], {
        cwd: root,
        timeout: 170_000,
      })
      const launch = readFileSync(join(folder, 'functions/index.launch.html'), 'utf8')
      expect(launch).toContain('before its first instruction')
      const made = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      for (const page of [
        'classes/index.Tracee',
        'classes/index.Channel',
        'interfaces/index.System',
        'functions/sim.explore',
      ])
        expect(made).toContain(`${page}.html`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 180_000)
})
