/** The long run: `npm run model -- [--operations N] [--family NAME] [--seed N] [--replay FILE]`. */

import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { parseArgs } from 'node:util'
import { checkFamily, replay } from './check.ts'
import { type FamilyName, familyNames, familyOf } from './families/index.ts'
import { isOwnGroupOrphaned, withWorlds } from './machine.ts'
import { parseProgram } from './operations.ts'
import { report } from './run-program.ts'

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    family: { type: 'string' },
    seed: { type: 'string' },
    replay: { type: 'string' },
  },
})

function replayFile(path: string): number {
  const program = parseProgram(readFileSync(path === '-' ? 0 : path, 'utf8'))
  const divergence = withWorlds(undefined, worlds => replay(program, worlds))
  console.log(divergence === undefined ? 'no divergence' : report(divergence))
  return divergence === undefined ? 0 : 1
}

function run(names: readonly FamilyName[], operations: number, seed: number): number {
  console.log(`Linux ${release()}, Node ${process.version}, uid ${process.getuid?.()}, seed ${seed}`)
  let failures = 0
  let total = 0
  for (const name of names) {
    const family = familyOf(name, isOwnGroupOrphaned())
    const start = performance.now()
    const checked = withWorlds(family, worlds => checkFamily(family, worlds, { operations, seed }))
    total += checked.operations
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    const verdict = checked.divergence === undefined ? 'no divergence' : 'DIVERGENCE'
    console.log(
      `${name.padEnd(12)} ${String(checked.operations).padStart(9)} operations in ${checked.programs} programs, ${seconds} s: ${verdict}`,
    )
    if (checked.divergence === undefined) continue
    failures++
    console.log(
      `${report(checked.divergence)}\n(--family ${name} --seed ${checked.seed}; or save the program and --replay it)`,
    )
  }
  console.log(`${total} operations compared, ${failures} ${failures === 1 ? 'divergence' : 'divergences'}`)
  return failures === 0 ? 0 : 1
}

function families(): readonly FamilyName[] {
  if (values.family === undefined) return familyNames
  const found = familyNames.find(name => name === values.family)
  if (found === undefined) throw new Error(`no family ${values.family}: there are ${familyNames.join(', ')}`)
  return [found]
}

/** Operations are divided evenly among the families; without a seed a fresh one is used. */
function main(): number {
  if (values.replay !== undefined) return replayFile(values.replay)
  const names = families()
  const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(values.seed)
  return run(names, Math.ceil(Number(values.operations) / names.length), seed)
}

process.exitCode = main()
