// node --expose-gc bench/users.mjs: launches as another user beside child_process's, from a small heap to a large one.
// README.md explains the table. It needs root.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch } from 'tracegate'
import { alternate, quantile } from './measure.mjs'

const rounds = Number(process.env.ROUNDS ?? 20)
const sizesMib = [50, 512, 1024, 2048]
const user = { uid: 65_534, gid: 65_534 }
const program = '/bin/true'

const folder = mkdtempSync(join(tmpdir(), 'tracegate-'))
chmodSync(folder, 0o755)
const helper = join(folder, 'as_user')
const source = name => fileURLToPath(new URL(`native/${name}`, import.meta.url))
const freestanding = ['-Os', '-std=c++17', '-ffreestanding', '-fno-exceptions', '-fno-asynchronous-unwind-tables']
const linked = ['-static', '-nostdlib', '-Wl,-s,--build-id=none,-z,noseparate-code']
execFileSync('c++', [...freestanding, ...linked, '-o', helper, source('as_user.cpp')])

const now = () => performance.now() * 1000

/** For how many microseconds each start has blocked the thread, by the name of the contender. */
let blocked = new Map()

/** Measures the microseconds from the call until the program has started. */
function timed(name, start) {
  return async () => {
    const before = now()
    const starting = start()
    const returned = now()
    const child = await starting
    const taken = now() - before
    blocked.set(name, [...(blocked.get(name) ?? []), returned - before])
    await child.end()
    return taken
  }
}

async function launched(options, file = program, args = []) {
  const child = await launch(file, args, { stdio: 'ignore', ...options })
  return { end: () => ('run' in child ? child.run() : child.exited) }
}

/** spawn() returns once the program has started; or, with a helper, once the helper has. */
function spawned(options) {
  const child = spawn(program, [], { stdio: 'ignore', ...options })
  return { end: () => once(child, 'exit') }
}

const helperArguments = [`${user.uid}`, `${user.gid}`, program]
const starts = {
  'child_process.spawn(), uid': () => spawned(user),
  'launch(), untraced, uid': () => launched({ trace: false, ...user }),
  'launch(), traced, uid': () => launched(user),
  'launch() of a helper, to its second exec': async () => {
    const child = await launch(helper, helperArguments, { stdio: 'ignore' })
    child.cont()
    await child.wait()
    return { end: () => child.run() }
  },
  'launch(), untraced, no uid': () => launched({ trace: false }),
}
const contenders = Object.entries(starts).map(([name, start]) => ({ name, run: timed(name, start) }))

const us = value => `${Math.round(value).toLocaleString('en-US')} us`
console.log(`${'From the call to the exec, medians (the thread blocked)'.padEnd(58)}`)
console.log([''.padEnd(42), ...sizesMib.map(mib => `${mib} MiB`.padStart(24))].join(''))
/** @type {Map<string, string[]>} */
const rows = new Map(contenders.map(({ name }) => [name, []]))
for (const mib of sizesMib) {
  const buffers = Array.from({ length: mib / 2 }, () => Buffer.alloc(2 << 20, 1))
  blocked = new Map()
  const samples = await alternate(contenders, rounds)
  for (const [i, { name }] of contenders.entries()) {
    const median = quantile(samples[i], 0.5)
    rows.get(name)?.push(`${us(median)} (${us(quantile(blocked.get(name).slice(-rounds), 0.5))})`)
  }
  buffers.length = 0
}
for (const [name, cells] of rows) console.log([name.padEnd(42), ...cells.map(cell => cell.padStart(24))].join(''))

const inC = join(folder, 'user_launches')
execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', inC, source('user_launches.c')])
console.log('\nThe same in C: MiB, way, us')
console.log(execFileSync(inC, [helper, ...sizesMib.map(String)], { encoding: 'utf8' }))
rmSync(folder, { recursive: true })
