/** Values of the child's settings that launch() refuses by name, before anything happened. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { describeNative, withCalls } from '../support/native.ts'

const type = 'ERR_INVALID_ARG_TYPE'
const value = 'ERR_INVALID_ARG_VALUE'
const range = 'ERR_OUT_OF_RANGE'

describeNative('launch()', system => {
  const untouched = withCalls(system, {
    fork: () => expect.unreachable('forked'),
    pipe2: () => expect.unreachable('opened a pipe'),
  })

  it.each([
    [{ umask: '077' }, type, 'options.umask'],
    [{ umask: 0o1000 }, range, 'options.umask'],
    [{ umask: -1 }, range, 'options.umask'],
    [{ uid: 'root' }, type, 'options.uid'],
    [{ uid: -1 }, range, 'options.uid'],
    [{ uid: 2 ** 32 - 1 }, range, 'options.uid'],
    [{ gid: 1.5 }, range, 'options.gid'],
    [{ groups: 5 }, type, 'options.groups'],
    [{ groups: [1, -2] }, range, 'options.groups[1]'],
    [{ groups: new Array(65_537).fill(1) }, range, 'options.groups.length'],
    [{ processGroup: -1 }, range, 'options.processGroup'],
    [{ processGroup: true }, type, 'options.processGroup'],
    [{ controllingTerminal: '/dev/tty' }, type, 'options.controllingTerminal'],
    [{ controllingTerminal: -1 }, range, 'options.controllingTerminal'],
    [{ controllingTerminal: {} }, type, 'options.controllingTerminal'],
    [{ foreground: 1 }, type, 'options.foreground'],
    [{ rlimits: 5 }, type, 'options.rlimits'],
    [{ rlimits: { NOFILE: 5 } }, value, 'options.rlimits.NOFILE'],
    [{ rlimits: { nofile: '64' } }, value, 'options.rlimits.nofile'],
    [{ rlimits: { nofile: null } }, type, 'options.rlimits.nofile'],
    [{ rlimits: { nofile: -1 } }, range, 'options.rlimits.nofile'],
    [{ rlimits: { nofile: 1.5 } }, range, 'options.rlimits.nofile'],
    [{ rlimits: { nofile: [1] } }, value, 'options.rlimits.nofile'],
    [{ rlimits: { nofile: [1, 2, 3] } }, value, 'options.rlimits.nofile'],
    [{ rlimits: { nofile: [64, 32] } }, range, 'options.rlimits.nofile[0]'],
    [{ rlimits: { nofile: [1, 'many'] } }, value, 'options.rlimits.nofile[1]'],
    [{ nice: 20 }, range, 'options.nice'],
    [{ nice: -21 }, range, 'options.nice'],
    [{ nice: '5' }, type, 'options.nice'],
    [{ oomScoreAdj: 1001 }, range, 'options.oomScoreAdj'],
    [{ affinity: 0 }, type, 'options.affinity'],
    [{ affinity: [] }, value, 'options.affinity'],
    [{ affinity: [8192] }, range, 'options.affinity[0]'],
    [{ affinity: [0, -1] }, range, 'options.affinity[1]'],
    [{ aslr: 0 }, type, 'options.aslr'],
    [{ noNewPrivileges: 'yes' }, type, 'options.noNewPrivileges'],
    [{ parentDeathSignal: 0 }, range, 'options.parentDeathSignal'],
    [{ parentDeathSignal: 'SIGNONE' }, 'ERR_UNKNOWN_SIGNAL', 'in "options.parentDeathSignal": SIGNONE'],
    [{ tracer: 0 }, range, 'options.tracer'],
    [{ tracer: -1 }, range, 'options.tracer'],
    [{ tracer: 'all' }, value, 'options.tracer'],
    [{ tracer: null }, type, 'options.tracer'],
    [{ cgroup: '' }, value, 'options.cgroup'],
    [{ cgroup: '/a\0b' }, value, 'options.cgroup'],
    [{ chroot: 5 }, type, 'options.chroot'],
    [{ chroot: '' }, value, 'options.chroot'],
    [{ namespaces: 'user' }, type, 'options.namespaces'],
    [{ namespaces: ['user', 'network'] }, value, 'options.namespaces[1]'],
    [{ namespaces: ['user'], uidMap: [] }, range, 'options.uidMap.length'],
    [{ namespaces: ['user'], uidMap: [[0, 0]] }, value, 'options.uidMap[0]'],
    [{ namespaces: ['user'], uidMap: [[0, 0, 0]] }, range, 'options.uidMap[0][2]'],
    [{ namespaces: ['user'], gidMap: [[0, -1, 1]] }, range, 'options.gidMap[0][1]'],
    [{ namespaces: ['user'], gidMap: '0 0 1' }, type, 'options.gidMap'],
    [{ seccomp: [1, 2] }, type, 'options.seccomp'],
    [{ seccomp: new Uint8Array(0) }, range, 'options.seccomp.length'],
    [{ seccomp: new Uint8Array(12) }, range, 'options.seccomp.length'],
    [{ seccomp: new Uint8Array(8 * 4097) }, range, 'options.seccomp.length'],
    [{ uidMap: [[0, 0, 1]] }, value, 'options.uidMap'],
    [{ trace: false, follow: 'threads' }, value, 'options.follow'],
    [{ trace: false, follow: 'all' }, value, 'options.follow'],
    [{ namespaces: ['pid'], gidMap: [[0, 0, 1]] }, value, 'options.gidMap'],
    [{ memory: 'shared', uid: 5 }, value, 'options.uid'],
    [{ memory: 'shared', gid: 5 }, value, 'options.gid'],
    [{ memory: 'shared', oomScoreAdj: 5 }, value, 'options.oomScoreAdj'],
    [{ detached: true, processGroup: 5 }, value, 'options.processGroup'],
    [{ controllingTerminal: 0, processGroup: 5 }, value, 'options.processGroup'],
  ])('refuses %j', async (options, code, what) => {
    const refused = launch('/bin/true', [], { system: untouched, ...options } as unknown as LaunchOptions)
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(what) })
  })
})

it.each([
  ['controllingTerminal', 0],
  ['foreground', true],
  ['uid', 5],
  ['gid', 5],
  ['groups', []],
  ['seccomp', new Uint8Array(8)],
  ['cgroup', '/sys/fs/cgroup'],
  ['namespaces', ['net']],
  ['chroot', '/'],
] as const)('a simulated launch refuses %s, which it cannot mean', async (name, setting) => {
  const kernel = new SimulatedKernel()
  const refused = launch('/bin/true', [], { system: kernel.host, [name]: setting } as LaunchOptions)
  const message = `The argument 'options.${name}' is not simulated: it needs the native System`
  await expect(refused).rejects.toMatchObject({ code: value, message })
})

it('a simulated launch takes the settings on which nothing in its world depends', async () => {
  const { host: system } = new SimulatedKernel()
  const tracee = await launch('/bin/true', [], {
    system,
    ...{ umask: 0o77, nice: -5, oomScoreAdj: 1000, affinity: [0], aslr: false, noNewPrivileges: true },
    ...{ tracer: 'any', processGroup: 0, rlimits: { nofile: 64, cpu: [1, Number.POSITIVE_INFINITY] } },
    parentDeathSignal: 'SIGTERM',
  })
  expect(await tracee.run()).toMatchObject({ kind: 'exited', code: 0 })
})

it('a simulated fork refuses an action that it cannot mean', () => {
  const { host: system } = new SimulatedKernel()
  const refused = () => system.fork({ actions: [{ op: 'uid', uid: 5 }] })
  expect(refused).toThrow(expect.objectContaining({ code: 'ENOSYS', step: 'uid' }))
  expect(() => system.fork({ actions: [], namespaces: ['pid'] })).toThrow(expect.objectContaining({ code: 'ENOSYS' }))
})
