/** The command and the program share their standard streams: they are the same descriptors. */

import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { inShell, processesWith, script, start, untilNoReader } from './command.ts'

const nonBlocking = 0o4000

/** The flags of descriptors 0 to 2, as the program that prints them sees them. */
function flagsIn(text: string): number[] {
  return [...text.matchAll(/^flags:\s+(\d+)$/gm)].map(([, octal]) => Number.parseInt(octal!, 8) & nonBlocking)
}
const showFlags = 'cat /proc/$$/fdinfo/0 /proc/$$/fdinfo/1 /proc/$$/fdinfo/2'

describeNative("a program's standard streams", () => {
  it('stay blocking, whatever the command itself writes (run)', async () => {
    const { stdout } = await start(['run', '--', '/bin/sh', '-c', showFlags]).finished
    expect(flagsIn(stdout)).toEqual([0, 0, 0])
  })

  it('stay blocking (hold)', async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', showFlags])
    process.kill(await running.heldPid, 'SIGCONT')
    expect(flagsIn((await running.finished).stdout)).toEqual([0, 0, 0])
  })

  it('stay blocking (with)', async () => {
    const line = 'kill -CONT {pid}; while [ -e /proc/{pid}/exe ]; do sleep 0.01; done'
    const { stdout } = await start(['with', line, '--', '/bin/sh', '-c', showFlags]).finished
    expect(flagsIn(stdout)).toEqual([0, 0, 0])
  })

  it('take all that it writes, however late its reader comes', async () => {
    const { stdout } = await inShell(`
      tracegate run --json -- /bin/sh -c 'echo $$; exec seq 1 300000' 2>&1 | {
        read -r pid
        while [ -e /proc/$pid ] && ! grep -q '^State:.S' /proc/$pid/status; do sleep 0.01; done
        tail -n 2
      }`)
    const [last, summary] = stdout.split('\n')
    expect(last).toBe('300000')
    expect(JSON.parse(summary!).exit).toMatchObject({ code: 0 })
  })

  it('are unaffected when the reader of the report is gone', async () => {
    const { stdout } = await inShell('exec 3>&1; { tracegate run -- /bin/echo out; echo $? >&3; } 2>&1 >&3 | :')
    expect(stdout).toBe('out\n0\n')
  })

  it.each([
    ['input', '<&-', 'ran\n'],
    ['output', '>&-', ''],
    ['error', '2>&-', 'ran\n'],
    ['input, output and error', '<&- >&- 2>&-', ''],
  ])('may be closed: %s', async (_, closed, printed) => {
    const { stdout } = await inShell(
      `exec 3>&1; tracegate run -- /bin/sh -c 'echo ran; exit 3' ${closed}; echo "status $?" >&3`,
    )
    expect(stdout).toBe(`${printed}status 3\n`)
  })

  it.skipIf(!existsSync('/dev/full'))('may be full', async () => {
    const { stdout } = await inShell('tracegate run -- /bin/echo out 2>/dev/full; echo "status $?"')
    expect(stdout).toBe('out\nstatus 0\n')
  })

  it('are not read from by the command', async () => {
    const { stdout } = await inShell("printf 'first\\nsecond\\n' | { tracegate run -- /bin/true 2>/dev/null; cat; }")
    expect(stdout).toBe('first\nsecond\n')
  })

  it('pass bytes through that are no text', async () => {
    const { stdout } = await inShell("printf '\\000\\377\\200' | tracegate run -- /bin/cat 2>/dev/null | od -An -tx1")
    expect(stdout.trim()).toBe('00 ff 80')
  })
})

describeNative('tracegate hold that cannot print the pid', () => {
  it.skipIf(!existsSync('/dev/full'))('fails and leaves no program behind', async () => {
    const mark = `tracegate-hold-${process.pid}`
    const { stdout } = await inShell(
      `tracegate hold --detach -- /bin/sh -c 'sleep 1000 # ${mark}' 2>/dev/full; echo "status $?"`,
    )
    expect(stdout).toBe('status 125\n')
    expect(processesWith(mark)).toEqual([])
  })
})

describe('tracegate', () => {
  it.each(['--help', '--version', 'doctor'])(
    'ends as by SIGPIPE and says nothing where its output has no reader: %s',
    async option => {
      const { stdout, stderr } = await inShell(`exec 3>&1; { ${untilNoReader}; tracegate ${option}; echo $? >&3; } | :`)
      expect({ stdout, stderr }).toEqual({ stdout: '141\n', stderr: '' })
    },
  )

  const printing = ['--help', '--version', 'run --help', 'doctor', 'explore', 'explore --json']

  it.skipIf(!existsSync('/dev/full')).each(printing)('says in one line that it could not print: %s', async option => {
    const { stdout, stderr } = await inShell(`tracegate ${option} >/dev/full; echo "status $?"`)
    expect(stdout).toBe('status 125\n')
    expect(stderr).toMatch(/^tracegate: cannot write standard output: ENOSPC[^\n]*\n$/)
  })

  it.each(printing)('says in one line that its output is closed: %s', async option => {
    const { stdout, stderr } = await inShell(`exec 3>&1; '${script}' ${option} >&-; echo "status $?" >&3`)
    expect(stdout).toBe('status 125\n')
    expect(stderr).toMatch(/^tracegate: cannot write standard output: EBADF[^\n]*\n$/)
  })

  it('is required of hold, which kills the program where standard error is closed', async () => {
    const { stdout } = await inShell(`'${script}' hold -- /bin/echo ran 2>&-; echo "status $?"`)
    expect(stdout).toBe('status 125\n')
  })
})
