import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import type { Examination } from '../../lib/doctor/examine.ts'

const run = promisify(execFile)

/** A command's output and exit status, whether it succeeds or not. */
export async function outcome(
  file: string,
  args: readonly string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  try {
    return { status: 0, ...(await run(file, [...args])) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number | string; stdout: string; stderr: string }
    if (typeof code !== 'number') throw error
    return { status: code, stdout, stderr }
  }
}

/** What `tracegate doctor --json` prints, and its exit status. */
export interface Examined extends Examination {
  readonly status: number
}

export function parsed({ status, stdout }: { status: number; stdout: string }): Examined {
  return { status, ...(JSON.parse(stdout) as Examination) }
}

export function fact({ facts }: Examination, name: string) {
  const found = facts.find(each => each.name === name)
  expect(found, `a fact named ${name}`).toBeDefined()
  return found!
}
