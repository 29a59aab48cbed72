/** The sandbox of examples/sandbox.mjs, tried from inside: what it keeps out stays out. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/compile.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, whyNoOrdinaryUser, whyNot } from '../support/node.ts'
import { whyNoUserNamespace } from '../support/user-namespace.ts'

const obstacle = [...['nsenter', 'setpriv', 'mount', 'python3'].map(whyNot), whyNoUserNamespace].find(
  reason => reason !== undefined,
)
const title = `the sandbox${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`
const example = fileURLToPath(new URL('../../../examples/sandbox.mjs', import.meta.url))

/** This process's own user, and an ordinary one. */
const users: [name: string, behind: readonly string[]][] = [
  ['this user', []],
  ...(asNobody === undefined || whyNoOrdinaryUser !== undefined ? [] : [['an ordinary user', asNobody] as const]),
].map(([name, behind]) => [name as string, behind as readonly string[]])

async function inSandbox(behind: readonly string[], ...program: string[]) {
  const [command = '', ...args] = [...behind, process.execPath, example, ...program]
  const child = spawn(command, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: stdout.trim(), stderr }
}

describeNative(title, () => {
  if (obstacle !== undefined) return it.skip('is tried', () => {})

  it.each(users)('runs a program to its end (%s)', async (_, behind) => {
    expect(await inSandbox(behind, 'sh', '-c', 'echo in && exit 3')).toEqual({ code: 3, stdout: 'in', stderr: '' })
  })

  it.each(users)('has no network (%s)', async (_, behind) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const connect = `import socket\ns = socket.socket()\ntry:\n  s.connect(('127.0.0.1', ${port}))\n  print('connected')\nexcept OSError as e:\n  print('refused')`
    const reached = await inSandbox(behind, 'python3', '-c', connect)
    const listed = await inSandbox(behind, 'sh', '-c', 'tail -n +3 /proc/net/dev | cut -d: -f1')
    server.close()
    expect(reached).toMatchObject({ code: 0, stdout: 'refused' })
    expect(listed.stdout).toBe('lo')
  })

  it.each(users)('shows no other process, and reaches none (%s)', async (_, behind) => {
    const { stdout } = await inSandbox(
      behind,
      ...[
        'sh',
        '-c',
        `echo $$; for p in /proc/[0-9]*; do cat $p/comm; done; kill -0 ${process.pid} 2>/dev/null && echo reached`,
      ],
    )
    expect(stdout.split('\n')[0]).toBe('1')
    expect(new Set(stdout.split('\n').slice(1))).toEqual(new Set(['sh']))
  })

  it.each(users)('lets nothing be written outside, or seen of what is not its own (%s)', async (_, behind) => {
    const folder = temporaryFolder()
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'secret', { mode: 0o666 })
    const before = readFileSync('/proc/self/mounts', 'latin1')
    const names = ['/usr', '/etc', '/', '/proc/sys/vm', folder, '/dev'].map(
      place => `${place}/tracegate-${process.pid}`,
    )
    const { stdout } = await inSandbox(
      behind,
      ...[
        'sh',
        '-c',
        `for n in ${names.join(' ')}; do touch $n 2>/dev/null && echo wrote $n; done; cat ${secret} 2>/dev/null; touch /tmp/own && ls /tmp`,
      ],
    )
    expect(stdout).toBe('own')
    for (const name of names) expect(existsSync(name), name).toBe(false)
    expect(existsSync('/tmp/own')).toBe(false)
    expect(readFileSync('/proc/self/mounts', 'latin1')).toBe(before)
  })

  it.each(users)('has no privileges and no way to new ones (%s)', async (_, behind) => {
    const { stdout } = await inSandbox(
      behind,
      ...[
        'sh',
        '-c',
        'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; for c in "mount -t tmpfs none /tmp" "unshare -U true" "umount /proc" "nsenter -t 1 -m true"; do $c 2>/dev/null && echo did $c; done; ulimit -n; ulimit -c',
      ],
    )
    expect(stdout.split('\n')).toEqual([
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000000',
      'NoNewPrivs:\t1',
      'Seccomp:\t2',
      '256',
      '0',
    ])
  })

  it('leaves no cgroup behind', async () => {
    const mounted = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'latin1'))?.[1]
    await inSandbox([], 'no-such-program')
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'latin1'))?.[1]
    const folder = mounted === undefined || own === undefined ? undefined : join(mounted, own)
    if (folder === undefined || !existsSync(folder)) return
    expect(readdirSync(folder).filter(name => name.startsWith('sandbox-'))).toEqual([])
  })
})
