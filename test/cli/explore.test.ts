import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { withChannel, withoutChannel } from '../../lib/cli/explored-launchers.ts'
import { replay } from '../../lib/sim/index.ts'
import { tracegate } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracegate-explore-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('tracegate explore', () => {
  it('finds the race of a launcher without a Channel, and nothing with one', async () => {
    const { status, stdout, stderr } = await tracegate('explore')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^A launcher without a Channel: fails after \d+ schedules? \(error\)\.\n\n {2}ESRCH: /)
    expect(stdout).toContain('ESRCH: no such process, ptrace: it is not traced\n')
    expect(stdout).toMatch(/▐ ptrace\(SETOPTIONS, 101, TRACEEXEC\|EXITKILL\) = ESRCH .*\n.*▲ error: ESRCH/)
    expect(stdout).toMatch(/\nA launcher with a Channel: nothing found in [\d,]+ schedules, complete: .*\n$/)
  })

  it('prints a schedule that replays the failure, and only of that launcher', async () => {
    const { stdout } = await tracegate('explore')
    const schedule = /To replay: '(.*)'/.exec(stdout)![1]!
    const { failure } = await replay(withoutChannel, schedule)
    expect(failure).toMatchObject({ kind: 'error', schedule, error: { code: 'ESRCH', syscall: 'ptrace' } })
    expect(stdout).toContain(String(failure!.timeline).split('\n')[2]!.trim())
    expect((await replay(withChannel, schedule)).failure?.kind).not.toBe('error')
  })

  it('replays the schedule that it has printed, and shows the same timeline', async () => {
    const { stdout } = await tracegate('explore')
    const schedule = /--replay '(.*)'/.exec(stdout)![1]!
    const again = await tracegate('explore', '--replay', schedule)
    expect(again).toMatchObject({ status: 0, stderr: '' })
    expect(again.stdout).toContain(`under the schedule ${schedule}: error.`)
    const picture = (text: string) => text.slice(text.indexOf('  ESRCH'), text.indexOf('(next: '))
    expect(picture(again.stdout)).toBe(picture(stdout))
    const json = JSON.parse((await tracegate('explore', `--replay=${schedule}`, '--json')).stdout)
    expect(json.without.failure).toMatchObject({ kind: 'error', schedule })
  })

  it('refuses an invalid schedule, and reports one that belongs to another launcher', async () => {
    const { status, stderr } = await tracegate('explore', '--replay', 'nothing')
    expect(status).toBe(2)
    expect(stderr).toMatch(/^tracegate: option '--replay' must be a schedule .* Received 'nothing' .*\n$/)
    const other = await tracegate('explore', '--replay', '1:0+500,3s1/2')
    expect(other.status).toBe(1)
    expect(other.stdout).toContain('nondeterminism')
  })

  it('prints the same as JSON', async () => {
    const { status, stdout } = await tracegate('explore', '--json')
    expect(status).toBe(0)
    expect(stdout.trimEnd()).not.toContain('\n')
    const { without, with: withOne } = JSON.parse(stdout)
    expect(without.failure).toMatchObject({
      kind: 'error',
      message: expect.stringContaining('ESRCH'),
      schedule: expect.any(String),
    })
    expect(without.failure.timeline.columns.map(({ name }: { name: string }) => name)).toEqual(['host', 'child'])
    expect(withOne).toMatchObject({ complete: true, schedules: expect.any(Number) })
    expect(withOne.schedules).toBeGreaterThan(10)
    expect(withOne).not.toHaveProperty('failure')
  })

  it('writes the picture of the schedule that fails', async () => {
    const file = join(folder, 'race.svg')
    const { status, stdout } = await tracegate('explore', '--svg', file)
    expect(status).toBe(0)
    expect(stdout).toContain(`The picture is in ${file}.\n`)
    const svg = readFileSync(file, 'utf8')
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s)
    expect(svg).toContain('▲ error: ESRCH: no such process, ptrace')
  })

  it.each([
    ['a folder that is not there', join(folder, 'none', 'race.svg'), 'ENOENT'],
    ['a folder', folder, 'EISDIR'],
  ])('says in one line that it cannot write %s, prints the report, and exits with 125', async (_, file, code) => {
    const { status, stdout, stderr } = await tracegate('explore', '--svg', file)
    expect(status).toBe(125)
    expect(stdout).toMatch(/^A launcher without a Channel: fails .*\nA launcher with a Channel: [^\n]*\n$/s)
    expect(stderr).toMatch(/^tracegate: [^\n]*\n$/)
    expect(stderr).toContain(`cannot write ${file}: ${code}`)
  })
})
