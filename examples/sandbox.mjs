// Runs a program without network, without sight of other processes, and with nothing to write to but a /tmp of its own.
//
//   node examples/sandbox.mjs /bin/sh -c 'ls /proc; touch /usr/x'
//
// It needs user namespaces, and nsenter and mount of util-linux. While the program waits at its gate, in its
// namespaces, a helper makes its root there. Only then come the seccomp filter, under which nothing can be mounted, and
// the exec.

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { launch } from 'tracegate'

const [program = '/bin/sh', ...args] = process.argv.slice(2)

/** @typedef {{ architecture: number, calls: number[], clone3: number }} Refused */

/** The calls that a program without privileges has no need of. @type {Partial<Record<string, Refused>>} */
const refusedOn = {
  x64: {
    architecture: 0xc000003e,
    // ptrace, mount, umount2, pivot_root, unshare, setns, bpf, keyctl, add_key, request_key, userfaultfd,
    // perf_event_open, open_tree … fspick, mount_setattr
    calls: [101, 165, 166, 155, 272, 308, 321, 250, 248, 249, 323, 298, 428, 429, 430, 431, 432, 433, 442],
    clone3: 435,
  },
  arm64: {
    architecture: 0xc00000b7,
    calls: [117, 40, 39, 41, 97, 268, 280, 219, 217, 218, 282, 241, 428, 429, 430, 431, 432, 433, 442],
    clone3: 435,
  },
}

/** struct sock_filter: code, jumps if true and false, constant. @param {Refused} refused */
function filterOf({ architecture, calls, clone3 }) {
  const [load, equal, above, give] = [0x20, 0x15, 0x35, 0x06]
  const [kill, allow, eperm, enosys] = [0x80000000, 0x7fff0000, 0x00050001, 0x00050026]
  const end = calls.length
  /** @type {[code: number, ifTrue: number, ifFalse: number, constant: number][]} */
  const list = [
    [load, 0, 0, 4], // the architecture: each numbers its calls in its own way
    [equal, 1, 0, architecture],
    [give, 0, 0, kill],
    [load, 0, 0, 0], // the call
    [above, end + 2, 0, 0x40000000], // x32's calls, on x64
    ...calls.map((call, i) => /** @type {[number, number, number, number]} */ ([equal, end - i + 1, 0, call])),
    [equal, 2, 0, clone3], // its flags are in memory, which a filter cannot read: clone is used instead
    [give, 0, 0, allow],
    [give, 0, 0, eperm],
    [give, 0, 0, enosys],
  ]
  const view = new DataView(new ArrayBuffer(list.length * 8))
  for (const [i, [code, ifTrue, ifFalse, constant]] of list.entries()) {
    view.setUint16(i * 8, code, true)
    view.setUint8(i * 8 + 2, ifTrue)
    view.setUint8(i * 8 + 3, ifFalse)
    view.setUint32(i * 8 + 4, constant, true)
  }
  return new Uint8Array(view.buffer)
}

/** Makes a root of a read-only /usr and /etc, a few devices, a /proc and an empty /tmp, and moves into it. */
const makeRoot = `
  set -e
  mount -t tmpfs -o mode=755 sandbox /mnt
  cd /mnt
  mkdir usr etc proc dev tmp old
  for folder in usr etc; do mount --rbind /$folder $folder; mount -o remount,bind,ro $folder; done
  for name in bin sbin lib lib32 lib64 libx32; do
    if [ -L /$name ]; then cp -P /$name $name
    elif [ -d /$name ]; then mkdir $name; mount --rbind /$name $name; mount -o remount,bind,ro $name; fi
  done
  for name in null zero full random urandom; do touch dev/$name; mount --bind /dev/$name dev/$name; done
  mount -t proc -o nosuid,nodev,noexec proc proc
  for name in sys sysrq-trigger irq bus; do
    if [ -e proc/$name ]; then mount --bind proc/$name proc/$name; mount -o remount,bind,ro proc/$name; fi
  done
  mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev tmp tmp
  pivot_root . old
  umount -l /old
  rmdir /old
  mount -o remount,bind,ro /`

/** A cgroup of at most 64 processes, where this process may make one. */
function makeCgroup() {
  try {
    const mounted = readFileSync('/proc/self/mounts', 'utf8').match(/^\S+ (\S+) cgroup2 /m)?.[1]
    const own = readFileSync('/proc/self/cgroup', 'utf8').match(/^0::(.*)$/m)?.[1]
    const folder = `${mounted}${own === '/' ? '' : own}/sandbox-${process.pid}`
    mkdirSync(folder)
    try {
      writeFileSync(`${folder}/pids.max`, '64')
    } catch {} // the controller is not there, but all of its processes still end together
    return folder
  } catch {
    return undefined
  }
}

const refused = refusedOn[process.arch]
if (refused === undefined) throw new Error(`no system calls are listed for ${process.arch}`)
const cgroup = makeCgroup()
try {
  // The program is user 0 of its namespace. setpriv removes the capabilities that come with that.
  const child = await launch('setpriv', ['--bounding-set=-all', '--inh-caps=-all', '--', program, ...args], {
    trace: false,
    stdio: 'inherit',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/tmp', TERM: process.env.TERM },
    cwd: '/', // a folder of the old root would be a way back
    detached: true, // a program could type into the terminal of its session
    parentDeathSignal: 'SIGKILL',
    namespaces: ['user', 'pid', 'net', 'mnt', 'uts', 'ipc', 'cgroup'],
    uidMap: [[0, process.getuid?.() ?? 0, 1]],
    gidMap: [[0, process.getgid?.() ?? 0, 1]],
    ...(cgroup && { cgroup }),
    rlimits: { core: 0, nofile: 256, fsize: 64 * 1024 * 1024 },
    noNewPrivileges: true,
    seccomp: filterOf(refused),
    async beforeExec({ pid }) {
      const enter = ['--target', `${pid}`, '--user', '--mount', '--pid', '--preserve-credentials']
      await promisify(execFile)('nsenter', [...enter, '/bin/sh', '-c', makeRoot])
    },
  })
  const { code, signal } = await child.exited
  if (signal) console.error(`ended by ${signal}`)
  process.exitCode = code ?? 1
} catch (error) {
  console.error(error instanceof Error ? ('stderr' in error && error.stderr) || error.message : error)
  process.exitCode = 1
} finally {
  if (cgroup) rmdirSync(cgroup)
}
