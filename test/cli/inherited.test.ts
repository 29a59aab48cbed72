/** The program inherits the command's descriptors, ignored and blocked signals, and environment. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { hasTool, script } from './command.ts'

const python = hasTool('python3') ? undefined : 'python3 is not installed'
const bash = hasTool('bash') ? undefined : 'bash is not installed'
const shells = [['/bin/sh'], ['bash', '--posix'], ['busybox', 'sh']] as const

/** Runs a shell line in which $TRACEGATE is the command. */
function inShell(line: string, shell = '/bin/sh', env: NodeJS.ProcessEnv = process.env) {
  const TRACEGATE = `${script} run --json --output /dev/null --`
  const { status, stdout, stderr } = spawnSync(shell, ['-c', line], { encoding: 'utf8', env: { ...env, TRACEGATE } })
  return { status, stdout, stderr }
}

// Starts argv[1:] with descriptors, signals and variables that a shell cannot set.
const starter = `
import os, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
for fd in (5, 20, 300): os.dup2(os.open('/etc/hostname', os.O_RDONLY), fd, inheritable=True)
for number in (1, 3, 12, 40): signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {2, 15, 50})
env = {'PATH': os.environ['PATH'], 'a.b': '1\\n2', 'BASH_FUNC_x%%': '() {\\n :\\n}', 'fd': '7', '1st': '', 'ü': 'ö', 'IFS': 'x', '_': 'y',
  'NODE_CHANNEL_SERIALIZATION_MODE': 'json', 'SHLVL': '4'}
os.execvpe(sys.argv[1], sys.argv[1:], env)`
// Prints the descriptors, signals and variables that it has.
const teller = `
import os, re
print(sorted(os.environb.items()))
print(sorted((int(fd), os.readlink('/proc/self/fd/' + fd)) for fd in os.listdir('/proc/self/fd') if int(fd) > 2 and os.path.exists('/proc/self/fd/' + fd)))
print(re.findall('^Sig(?:Blk|Ign).*', open('/proc/self/status').read(), re.M))`

describeNative(
  'the program of tracegate run',
  () => {
    it.each(shells)('gets what it would get without the command, where sh is %s %s', (...shell) => {
      if (!hasTool(shell[0]) && shell[0] !== '/bin/sh') return
      const started = (...words: readonly string[]) =>
        spawnSync('python3', ['-c', starter, ...words], { encoding: 'utf8' }).stdout
      const tell = ['python3', '-c', teller]
      const expected = started(...tell)
      expect(expected).toContain("b'a.b'")
      expect(expected).toContain("(300, '/etc/hostname')")
      expect(
        started(...(shell as readonly string[]), script, 'run', '--json', '--output', '/dev/null', '--', ...tell),
      ).toBe(expected)
    })
  },
  python,
)

describeNative('tracegate run', () => {
  it.skipIf(bash !== undefined)('gives the program what bash names with <( )', () => {
    expect(inShell('$TRACEGATE cat <(echo one)', 'bash')).toMatchObject({ status: 0, stdout: 'one\n' })
  })

  it('leaves them out where the program is simulated, all but the standard ones', () => {
    const { stdout, stderr, status } = inShell(`${script} run --simulate -- /bin/echo hi 9</dev/null`)
    expect({ stdout, status }, stderr).toEqual({ stdout: 'hi\n', status: 0 })
  })

  it('gives the program the descriptors of a jobserver', () => {
    const line = `exec 3<&0; $TRACEGATE sh -c 'read -r token <&8; echo "$token"' 8<&3`
    const { stdout } = spawnSync('/bin/sh', ['-c', line], {
      encoding: 'utf8',
      input: '+\n',
      env: { ...process.env, TRACEGATE: `${script} run --json --output /dev/null --` },
    })
    expect(stdout).toBe('+\n')
  })

  it.each(['0', '1', '2', '0 1', '0 1 2'])('gives the program no descriptor where %s is closed', closed => {
    const tell = 'for fd in 0 1 2; do [ -h /proc/$$/fd/$fd ] || echo $fd >&5; done'
    const closing = closed.replaceAll(/\d/g, '$&>&-')
    const { stdout } = inShell(`exec 5>&1; $TRACEGATE sh -c '${tell}' ${closing}`)
    expect(stdout.trim().split('\n').join(' ')).toBe(closed)
  })

  it('notes what is there where PATH has node alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-path-'))
    try {
      symlinkSync(process.execPath, join(folder, 'node'))
      const line = `trap '' HUP; $TRACEGATE /bin/sh -c 'kill -HUP $$; echo survived'`
      const result = inShell(line, '/bin/sh', { ...process.env, PATH: folder })
      expect(result).toEqual({ status: 0, stdout: 'survived\n', stderr: '' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('keeps the descriptor of --output to itself', () => {
    const { stdout } = inShell(`${script} run --json --output fd:7 -- sh -c 'echo out >&7' 7>&1 2>/dev/null`)
    expect(JSON.parse(stdout)).toMatchObject({ exit: { code: 2 } })
  })

  it('lets the program survive a hang-up under nohup', () => {
    const program = `sh -c 'kill -HUP $PPID; kill -HUP $$; echo survived'`
    expect(inShell(`trap '' HUP; $TRACEGATE ${program}`)).toMatchObject({ status: 0, stdout: 'survived\n' })
  })

  it("gives the program Node's channel to its parent", async () => {
    const send = 'process.send({ hello: 1 }); process.disconnect()'
    const child = spawn(script, ['run', '--json', '--', process.execPath, '-e', send], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const closed = once(child, 'close')
    expect(await once(child, 'message')).toEqual([{ hello: 1 }, undefined])
    expect(await closed).toEqual([0, null])
  })

  it('does not take up a note that came along in the environment', () => {
    const note = 'pid 1\nfd 2147483647'
    expect(
      inShell('$TRACEGATE printenv TRACEGATE_INHERITED', '/bin/sh', { ...process.env, TRACEGATE_INHERITED: note }),
    ).toMatchObject({ status: 1, stdout: '' })
  })
})

describe('the file of the command', () => {
  it('is run by sh, by node, and through a symbolic link', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-bin-'))
    try {
      symlinkSync(script, join(folder, 'tracegate'))
      const version = `${JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version}\n`
      for (const words of [[script], [process.execPath, script], ['/bin/sh', script], [join(folder, 'tracegate')]]) {
        const { stdout, stderr } = spawnSync(words[0]!, [...words.slice(1), '--version'], { encoding: 'utf8' })
        expect({ stdout, stderr }).toEqual({ stdout: version, stderr: '' })
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
