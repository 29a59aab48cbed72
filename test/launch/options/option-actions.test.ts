/** The actions of the options: each option has its own, and a launch without them has none. */

import { expect, it } from 'vitest'
import { optionActions } from '../../../lib/launch/options/option-actions.ts'
import { checkLaunchOptions } from '../../../lib/launch/options/options.ts'

const actionsOf = (options: object) => Object.values(optionActions(checkLaunchOptions(options))).flat()

it('options of the launch itself are no actions', () => {
  const options = { env: {}, argv0: 'it', stdio: 'pipe', trace: false, exitKill: true, timeoutMs: 5, memory: 'auto' }
  expect(actionsOf(options)).toEqual([])
})

it.each([
  [{ cgroup: '/c' }, [{ op: 'cgroup', path: '/c' }]],
  [{ detached: true }, [{ op: 'setsid' }]],
  [{ detached: false, foreground: false, noNewPrivileges: false }, []],
  [{ processGroup: 0 }, [{ op: 'processGroup', group: 0 }]],
  [{ detached: true, processGroup: 0 }, [{ op: 'setsid' }]],
  [{ controllingTerminal: 4 }, [{ op: 'setsid' }, { op: 'controllingTerminal', fd: 4 }]],
  [{ controllingTerminal: { fd: 4 }, detached: true }, [{ op: 'setsid' }, { op: 'controllingTerminal', fd: 4 }]],
  [{ foreground: true }, [{ op: 'processGroup', group: 0 }, { op: 'foreground' }]],
  [{ foreground: true, detached: true }, [{ op: 'setsid' }, { op: 'foreground' }]],
  [{ foreground: true, processGroup: 5 }, [{ op: 'processGroup', group: 5 }, { op: 'foreground' }]],
  [{ umask: 0 }, [{ op: 'umask', mask: 0 }]],
  [{ nice: 0 }, [{ op: 'nice', nice: 0 }]],
  [{ oomScoreAdj: 0 }, [{ op: 'oomScoreAdj', score: 0 }]],
  [{ rlimits: { core: 0 } }, [{ op: 'rlimits', resource: 'core', soft: 0, hard: 0 }]],
  [{ rlimits: {} }, []],
  [{ affinity: [1] }, [{ op: 'affinity', cpus: [1] }]],
  [{ aslr: true }, [{ op: 'aslr', on: true }]],
  [{ namespaces: ['user', 'pid'] }, []],
  [{ namespaces: ['net', 'user', 'net'] }, [{ op: 'namespaces', namespaces: ['net'] }]],
  [{ chroot: '/r' }, [{ op: 'chroot', path: '/r' }]],
  [{ groups: [] }, [{ op: 'groups', groups: [] }]],
  [
    { gid: 0 },
    [
      { op: 'groups', groups: [], optional: true },
      { op: 'gid', gid: 0 },
    ],
  ],
  [
    { uid: 0, groups: [3] },
    [
      { op: 'groups', groups: [3] },
      { op: 'uid', uid: 0 },
    ],
  ],
  [{ ignoreSignals: [] }, [{ op: 'ignoreSignals', signals: [] }]],
  [{ signalMask: ['SIGINT'] }, [{ op: 'signalMask', signals: [2] }]],
  [{ cwd: '/' }, [{ op: 'chdir', path: '/' }]],
  [{ tracer: 'any' }, [{ op: 'tracer', pid: -1 }]],
  [{ noNewPrivileges: true }, [{ op: 'noNewPrivileges' }]],
  [{ seccomp: new Uint8Array(8) }, [{ op: 'seccomp', filter: new Uint8Array(8) }]],
])('%j is done by its own actions', (options, actions) => {
  expect(actionsOf(options)).toEqual(actions)
})
