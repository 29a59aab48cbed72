import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { hasTool, main } from './command.ts'

const fixture = fileURLToPath(new URL('../fixtures/cli-terminal.py', import.meta.url))

interface Session {
  readonly status: number
  readonly stopped: boolean
  readonly screen: string
}

/** Runs a shell script under the command on a terminal, with keys typed at each 'readyN' it prints. */
async function type(keys: string, script: string): Promise<Session> {
  const command = [process.execPath, main, 'run', '--json', '--', '/bin/sh', '-c', script]
  const { stdout } = await promisify(execFile)('python3', [fixture, keys, ...command], { timeout: 40_000 })
  return JSON.parse(stdout) as Session
}

const waits = 'while :; do sleep 0.01; done'

describeNative(
  'tracegate run on a terminal',
  () => {
    it('lets the program decide what Ctrl-C means, and sends it once', async () => {
      const { status, screen } = await type(
        'c',
        `n=0; trap 'n=$((n+1)); echo caught $n; exit 7' INT; echo ready0; ${waits}`,
      )
      expect(status).toBe(7)
      expect(screen).toContain('caught 1')
      expect(screen).not.toContain('caught 2')
    })

    it('ends by Ctrl-C with its program', async () => {
      expect((await type('c', 'echo ready0; exec sleep 1000')).status).toBe(130)
      expect((await type('\\', 'ulimit -c 0; echo ready0; exec sleep 1000')).status).toBe(131)
    })

    it('goes on where the program ignores Ctrl-C', async () => {
      const { status, screen } = await type('c', "trap '' INT; echo ready0; sleep 0.3; echo went on; exit 3")
      expect(status).toBe(3)
      expect(screen).toContain('went on')
    })

    it('is stopped with its program by Ctrl-Z, and goes on with it', async () => {
      const { status, stopped, screen } = await type('z', 'echo ready0; sleep 0.3; echo went on; exit 4')
      expect({ status, stopped }).toEqual({ status: 4, stopped: true })
      expect(screen).toContain('went on')
    })
  },
  hasTool('python3') ? undefined : 'python3 is not installed',
)
