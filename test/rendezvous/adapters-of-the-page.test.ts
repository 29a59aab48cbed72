/** The adapters of docs/terminal-protocol.md, in languages that have nothing of this package but its command. */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Finished, hasTool, script, startProgram } from '../cli/command.ts'
import { describeNative } from '../support/describe-native.ts'
import { blocks } from '../support/pages.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const page = 'docs/terminal-protocol.md'
const folder = temporaryFolder()
mkdirSync(join(folder, 'bin'))
symlinkSync(script, join(folder, 'bin/tracegate'))

/** Runs a page's program, with arguments, with `tracegate` in its PATH. */
function run(words: readonly string[]): Promise<Finished> {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, GOCACHE: join(folder, 'go-cache') }
  return startProgram(words[0]!, words.slice(1), { env }).finished
}

const languages = [
  { language: 'python', tool: 'python3', file: 'adapter.py', words: ['python3'] },
  { language: 'go', tool: 'go', file: 'adapter.go', words: ['go', 'run'] },
]

for (const { language, tool, file, words } of languages) {
  describeNative(
    `the adapter in ${language}`,
    () => {
      const [code, ...more] = blocks(page, language)
      const path = join(folder, file)
      writeFileSync(path, code!)

      it('has at most 30 lines', () => {
        expect(more).toEqual([])
        expect(code!.trimEnd().split('\n').length).toBeLessThanOrEqual(30)
      })

      it('holds a program, lets it run and sees its exit code', async () => {
        const { stdout, status } = await run([...words, path, '/bin/sh', '-c', 'echo ran; exit 7'])
        expect({ stdout, status }).toEqual({ stdout: 'ran\nended with 7\n', status: 0 })
      })

      it('sees why a program was not started', async () => {
        const { stdout, status } = await run([...words, path, '/no/such/program'])
        expect({ stdout, status }).toEqual({ stdout: 'failed: ENOENT /no/such/program\n', status: 0 })
      })
    },
    hasTool(tool) ? undefined : `${tool} is not installed`,
  )
}
