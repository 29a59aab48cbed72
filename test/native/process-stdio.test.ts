/** The process's own descriptors as those of a simulated world: they behave as under a native program. */

import { describe, expect, it } from 'vitest'
import { inShell, script, untilNoReader } from '../cli/command.ts'
import { compiledLibrary } from '../support/compiled-library.ts'

const options = 'run --simulate --output /dev/null --'
const sim = `tracegate ${options}`
/** By the command's own file, which sees closed descriptors and becomes the process that it starts. */
const ownFile = `'${script}' ${options}`

/** A shell command that runs a module with `system`, a simulated world, and prints to standard error. */
function module(text: string): string {
  const url = JSON.stringify(`${compiledLibrary()}open-system.js`)
  const source = `
    import { writeSync } from "node:fs"
    const { openSystem } = await import(${url})
    const system = openSystem("simulated")
    const attempt = act => { try { return act() } catch (error) { return error.code } }
    const say = value => writeSync(2, JSON.stringify(value) + "\\n")
    ${text}`
  return `'${process.execPath}' --input-type=module -e '${source}'`
}

describe("a simulated program's output", () => {
  it('without a reader ends the program by SIGPIPE, however much input there is', async () => {
    const { stdout } = await inShell(`
      exec 3>&1
      yes | { ${sim} /bin/cat; echo "status $?" >&3; } | head -n 1
      { ${untilNoReader}; ${sim} /bin/echo hi; echo "status $?" >&3; } | :`)
    expect(stdout.split('\n').toSorted()).toEqual(['', 'status 141', 'status 141', 'y'])
  })

  it('on a full device fails', async () => {
    const { stdout } = await inShell(`${sim} /bin/echo hi >/dev/full 2>/dev/null; echo "status $?"`)
    expect(stdout).toBe('status 1\n')
  })

  it('that is closed fails', async () => {
    const { stdout } = await inShell(`exec 3>&1; ${ownFile} /bin/echo hi >&- 2>/dev/null; echo "status $?" >&3`)
    expect(stdout).toBe('status 1\n')
  })

  it.each([
    ['a pipe', '| cat'],
    ['a socket', ''],
  ])('is whole on %s', async (_, to) => {
    const { stdout } = await inShell(`seq 1 300000 | ${sim} /bin/cat ${to}`)
    expect(stdout.length).toBe(1_988_895)
  })

  it('goes into a regular file, at its end with >>', async () => {
    const { stdout } = await inShell(`
      file=$(mktemp); echo before >"$file"
      ${sim} /bin/echo after >>"$file"
      cat "$file"; rm "$file"`)
    expect(stdout).toBe('before\nafter\n')
  })

  it('waits for a reader that does not read, in no more memory than the pipe has, and signals end it', async () => {
    // It has read nothing for a second, or takes all that comes.
    const waits = '[ "$got" = "$before" ] || [ "$(ps -o rss= -p $pid)" -gt 300000 ]'
    const { stdout } = await inShell(`
      exec 3>&1; over=$(mktemp -u); mkfifo "$over"
      yes | { exec 4<&0; ${ownFile} /bin/cat <&4 & pid=$!; got=; before=-
        until ${waits}; do before=$got; sleep 1; got=$(grep rchar /proc/$pid/io); done
        grep VmRSS /proc/$pid/status >&3
        kill -TERM $pid; wait $pid; echo "status $?" >&3; echo >"$over"; } | timeout 60 cat "$over"
      rm "$over"`)
    expect(Number(/(\d+) kB/.exec(stdout)![1])).toBeLessThan(130_000)
    expect(stdout).toContain('status 143\n')
  })

  it('leaves the pipe blocking for the other processes that have it', async () => {
    const { stdout } = await inShell(`
      exec 3>&1
      seq 1 100000 | { ${sim} /bin/cat; grep flags /proc/self/fdinfo/1 >&3; } | { sleep 0.5; cat >/dev/null; }`)
    expect(Number.parseInt(stdout.split(/\s+/)[1]!, 8) & 0o4000).toBe(0)
  })

  it('goes on when a full pipe that is non-blocking has room', async () => {
    const { stdout } = await inShell(`
      seq 1 100000 | { ${module(`
        process.stdout.write("")
        const { launch } = await import(${JSON.stringify(`${compiledLibrary()}index.js`)})
        const cat = await launch("/bin/cat", [], { system, trace: false, stdio: "inherit" })
        say((await cat.exited).code)`)}; } | { sleep 1; wc -c; }`)
    expect(stdout).toBe('588895\n')
  })
})

describe("a simulated host's calls on descriptors 0 to 2", () => {
  it('block while the pipe is full, and until there is input', async () => {
    const { stderr } = await inShell(`
      { sleep 1; echo input; } | ${module(`
        say(system.write(1, new Uint8Array(200_000)))
        const buffer = new Uint8Array(10)
        say(system.read(0, buffer))
        say(system.read(0, buffer))`)} | { sleep 0.5; cat >/dev/null; }`)
    expect(stderr).toBe('200000\n6\n0\n')
  })

  it('read no further than they are asked to', async () => {
    const { stdout, stderr } = await inShell(`
      printf abcdef | { ${module('say(system.read(0, new Uint8Array(2)))')}; cat; echo; }
      file=$(mktemp); printf ghijkl >"$file"
      { ${module('say(system.read(0, new Uint8Array(3)))')}; cat; echo; } <"$file"; rm "$file"`)
    expect([stdout, stderr]).toEqual(['cdef\njkl\n', '2\n3\n'])
  })

  it('fail as the real ones do', async () => {
    const { stderr } = await inShell(`
      ${module(`
        say(attempt(() => system.read(0, new Uint8Array(1))))
        say(attempt(() => system.write(1, new Uint8Array(1))))`)} </ >/dev/full
      { ${untilNoReader}; ${module('say(attempt(() => system.write(1, new Uint8Array(1))))')}; } | :`)
    expect(stderr).toBe('"EISDIR"\n"ENOSPC"\n"EPIPE"\n')
  })
})
