/** What a launch may give its child and must leave this process: user, limits, mask, folder, terminal and so on. */

import { readFileSync, statSync } from 'node:fs'
import { getPriority } from 'node:os'
import { processStat } from './process-table.ts'

const inStatus = ['Umask', 'Uid', 'Gid', 'Groups', 'SigBlk', 'CapEff', 'NoNewPrivs', 'Seccomp', 'Cpus_allowed']

function read(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'latin1').trim()
  } catch {
    return ''
  }
}

/** The settings of this process, by name. */
export function ownSettings(): ReadonlyMap<string, string> {
  const status = read('status')
  const ofStatus = inStatus.map((name): [string, string] => {
    return [name, new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '']
  })
  return new Map([
    ...ofStatus,
    ['limits', read('limits')],
    ['oom_score_adj', read('oom_score_adj')],
    ['personality', read('personality')],
    ['cgroup', read('cgroup')],
    ['nice', String(getPriority())],
    ['cwd', process.cwd()],
    // A process that is not dumpable has files that belong to root.
    ['owner', String(statSync('/proc/self/status').uid)],
    ['terminal', String(processStat(process.pid)?.terminalGroup)],
  ])
}
