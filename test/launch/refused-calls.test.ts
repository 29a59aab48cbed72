/** Launches where calls are refused, as by old kernels and by containers: what they come to is the same. */

import { expect, it } from 'vitest'
import { compileFixture } from '../support/c-program.ts'
import { hasCapability } from './support/capabilities.ts'
import { whyNoCompiler } from './support/compile.ts'
import { compileInside } from './support/look-inside.ts'
import { describeNative } from './support/native.ts'
import { runNode, whyNot } from './support/node.ts'
import { whyNoUserNamespace } from './support/user-namespace.ts'

const obstacle = whyNoCompiler ?? whyNot('true')
const title = `a launch${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`

/** Sets of options, as code of a script. */
const sets = [
  '{}',
  '{ umask: 0o27, nice: 19, affinity: [0], aslr: false, rlimits: { nofile: [30, 40], core: 0 } }',
  '{ detached: true, signalMask: ["SIGINT"], ignoreSignals: ["SIGHUP"], parentDeathSignal: "SIGTERM" }',
  '{ processGroup: 0, oomScoreAdj: 1000 }',
  ...(whyNoUserNamespace === undefined
    ? [
        '{ namespaces: ["user", "pid", "net", "mnt", "uts", "ipc"], uidMap: [[5, process.getuid(), 1]], gidMap: [[6, process.getgid(), 1]] }',
        '{ namespaces: ["user", "pid"], uidMap: [[5, process.getuid(), 1]], uid: 5, parentDeathSignal: "SIGKILL" }',
      ]
    : []),
  ...(hasCapability('CAP_SETUID') ? ['{ uid: 65534, gid: 7, groups: [8, 9], nice: 3 }'] : []),
]

const script = (program: string) => `
  const fields = ['blocked', 'notDefault', 'umask', 'uids', 'gids', 'groups', 'limits', 'nice', 'oomScoreAdj', 'cpus', 'personality', 'noNewPrivileges', 'parentDeathSignal', 'uidMap', 'gidMap']
  const own = name => fs.readlinkSync('/proc/self/ns/' + name)
  for (const options of [${sets.join(', ')}]) {
    for (const trace of ['traceme', 'seize', false]) {
      for (const beforeExec of [undefined, () => {}]) {
        const child = await launch(${JSON.stringify(program)}, [], { trace, beforeExec, noNewPrivileges: true, ...options })
        let text = ''
        child.run?.()
        for await (const chunk of child.stdout) text += chunk
        const inside = JSON.parse(text)
        const seen = Object.fromEntries(fields.map(name => [name, inside[name]]))
        seen.descriptors = Object.keys(inside.descriptors)
        seen.namespaces = Object.keys(inside.namespaces).filter(name => inside.namespaces[name] !== own(name))
        seen.isLeader = [inside.group === inside.pid, inside.session === inside.pid, inside.parent === process.pid]
        report({ trace, seen, code: (await child.exited).code })
      }
    }
  }`

describeNative(title, () => {
  if (obstacle !== undefined) return it.skip('is tried', () => {})
  const program = compileInside()
  const behind = (...refused: string[]) => [
    compileFixture('restricted'),
    ...['--errno', '38'],
    ...refused.flatMap(call => ['--refuse', call]),
    '--',
  ]

  it.each([
    [['clone3']],
    [['close_range']],
    [['pidfd_open']],
    [['shared-clone']],
    [['clone3', 'close_range', 'pidfd_open', 'pidfd_send_signal', 'shared-clone']],
  ])('gives what is asked for without %j', async refused => {
    const [usual, restricted] = await Promise.all([
      runNode(script(program)),
      runNode(script(program), { behind: behind(...refused) }),
    ])
    expect(usual.stderr).toBe('')
    expect(restricted.stderr).toBe('')
    expect(usual.reports.length).toBe(sets.length * 6)
    expect(restricted.reports).toEqual(usual.reports)
  })

  it('whose ASLR cannot be turned off goes on, and warns once', async () => {
    const { reports, stderr } = await runNode(
      `let hooks = 0
      for (const trace of ['traceme', 'seize', false]) {
        const child = await launch(${JSON.stringify(program)}, [], { trace, aslr: false, umask: 0o27, beforeExec: () => void hooks++ })
        let text = ''
        child.run?.()
        for await (const chunk of child.stdout) text += chunk
        const { personality, umask } = JSON.parse(text)
        report([personality & 0x40000, umask, (await child.exited).code, hooks])
      }`,
      { behind: behind('fixed-layout') },
    )
    expect(reports).toEqual([
      [0, 0o27, 0, 1],
      [0, 0o27, 0, 2],
      [0, 0o27, 0, 3],
    ])
    expect(stderr.match(/TRACEGATE_ASLR_REFUSED/g)).toHaveLength(1)
    expect(stderr).toContain('aslr: false is refused here')
  })
})
