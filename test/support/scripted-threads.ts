/** The scripts of test/fixtures/threads.c in the simulated kernel. */

import type { Calling, SimulatedProcess } from '../../lib/sim/index.ts'

/** The same program for a SimulatedKernel. */
export function* scriptedThreads(process: SimulatedProcess): Calling<number> {
  yield* run(process, process.argv[1] ?? '', process.argv[2] ?? '', false)
  return 0
}

/** What `E` execs. */
export function* exitsWith9(process: SimulatedProcess): Calling<void> {
  yield* process.exit(9)
}

function* run(process: SimulatedProcess, script: string, program: string, isThread: boolean): Calling<void> {
  const byte = Uint8Array.of(33)
  for (let at = 0; at < script.length; ) {
    const letter = script[at++]!
    if (letter === 't' || letter === 'f' || letter === 'v') {
      const end = closing(script, at)
      const inner = script.slice(at + 1, end)
      at = end + 1
      // No generator function: until a full collection V8 keeps what it closes over, here a whole world.
      const code = (self: SimulatedProcess) => run(self, inner, program, letter === 't')
      try {
        if (letter === 't') yield* process.thread(code)
        else yield* process[letter === 'f' ? 'fork' : 'vfork'](code)
      } catch {
        yield* process.exit(101)
      }
      continue
    }
    const digits = /^[0-9]*/.exec(script.slice(at))![0]
    at += digits.length
    const number = Number(digits)
    switch (letter) {
      case 'r':
        yield* process.read(number, new Uint8Array(1))
        break
      case 'w':
        yield* process.write(number, byte)
        break
      case 'p':
        yield* process.pause()
        break
      case 's':
        yield* process.raise(number)
        break
      case 'b':
        yield* process.sigprocmask('block', [number])
        break
      case 'E':
        try {
          yield* process.execve(program, [program])
        } catch {
          yield* process.exit(102)
        }
        break
      case 'x':
        yield* process.exit(number)
        break
      case 'e':
        yield* process.exitThread(number)
        break
      default:
        throw new Error(`the script has no letter ${letter}`)
    }
  }
  if (isThread) yield* process.exitThread(0)
  else yield* process.exit(0)
}

/** The index of the parenthesis that closes the one at `from`. */
function closing(script: string, from: number): number {
  for (let at = from, depth = 0; ; at++) {
    if (script[at] === '(') depth++
    if (script[at] === ')' && --depth === 0) return at
    if (at > script.length) throw new Error(`a parenthesis is open in ${script}`)
  }
}
