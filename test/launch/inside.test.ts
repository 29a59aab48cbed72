/** A launched C program reports the state that it starts with. */

import { closeSync, openSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import type { LaunchOptions } from '../../lib/launch/options/options.ts'
import { whyNoCompiler } from './support/compile.ts'
import { compileInside, type Inside, lookInside } from './support/look-inside.ts'
import { modes, optionsOf } from './support/modes.ts'
import { describeNative } from './support/native.ts'

const title = `a launched program${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('looks at itself', () => {})
  const program = compileInside()

  const look = (options?: LaunchOptions, args?: readonly string[]): Promise<Inside> =>
    lookInside(program, options, args)

  it.each(modes)('has no signal blocked and every signal at its default ($name)', async mode => {
    const onSignal = () => {}
    process.on('SIGUSR1', onSignal)
    const inside = await look(optionsOf(mode))
    process.off('SIGUSR1', onSignal)
    expect(inside.blocked).toEqual([])
    expect(inside.notDefault).toEqual([])
    expect(inside.parentDeathSignal).toBe(0)
    expect(inside.parent).toBe(process.pid)
  })

  it.each(modes)('has the descriptors 0 to 2 and no other, blocking ($name)', async mode => {
    // Open and inheritable in the parent: only the launch keeps these descriptors from the child.
    const others = [openSync('/dev/null', 'r'), ...system.pipe2(0)]
    const inside = await look({ ...optionsOf(mode), beforeExec: () => {} })
    for (const fd of others) closeSync(fd)
    expect(Object.keys(inside.descriptors)).toEqual(['0', '1', '2'])
    for (const { target, closeOnExec, nonblocking } of Object.values(inside.descriptors)) {
      expect(target).toMatch(/^pipe:/)
      expect({ closeOnExec, nonblocking }).toEqual({ closeOnExec: false, nonblocking: false })
    }
  })

  it.each(modes)('has none of the descriptors of children that are launched at the same time ($name)', async mode => {
    const many = await Promise.all(Array.from({ length: 12 }, () => look(optionsOf(mode))))
    for (const inside of many) expect(Object.keys(inside.descriptors)).toEqual(['0', '1', '2'])
    const pipes = many.flatMap(inside => Object.values(inside.descriptors).map(each => each.target))
    expect(new Set(pipes).size).toBe(pipes.length)
  })

  it('gets this process’s environment as it is now', async () => {
    process.env.TRACEGATE_TEST_ADDED = 'ä = ü'
    const { env } = await look()
    delete process.env.TRACEGATE_TEST_ADDED
    const own = Object.entries(process.env).map(([key, value]) => `${key}=${value}`)
    expect(env.toSorted()).toEqual([...own, 'TRACEGATE_TEST_ADDED=ä = ü'].toSorted())
  })

  it('gets the environment that is given and nothing else', async () => {
    expect((await look({ env: {} })).env).toEqual([])
    expect((await look({ env: { A: '1', EMPTY: '', LEFT_OUT: undefined, 'B B': 'x=y' } })).env).toEqual([
      'A=1',
      'EMPTY=',
      'B B=x=y',
    ])
  })

  it('gets its arguments byte for byte', async () => {
    const args = ['', ' ', '"quoted"', '\\', '$HOME', 'ünïcödé', '-', '--', 'a'.repeat(100_000)]
    const { argv } = await look({}, args)
    expect(argv).toEqual([program, ...args])
  })

  it('gets argv0 as its name', async () => {
    expect((await look({ argv0: 'another name' }, ['x'])).argv).toEqual(['another name', 'x'])
    expect((await look({ argv0: '' })).argv).toEqual([''])
  })

  it.each(modes)('stands in cwd ($name)', async mode => {
    expect((await look({ ...optionsOf(mode), cwd: tmpdir() })).cwd).toBe(realpathSync(tmpdir()))
    expect((await look(optionsOf(mode))).cwd).toBe(process.cwd())
  })

  it.each(modes)('leads its own session when detached, and else shares the parent’s ($name)', async mode => {
    const detached = await look({ ...optionsOf(mode), detached: true })
    expect([detached.session, detached.group]).toEqual([detached.pid, detached.pid])
    const attached = await look({ ...optionsOf(mode), detached: false })
    expect(attached.session).not.toBe(attached.pid)
  })

  it('has this process’s umask', async () => {
    const before = process.umask(0o027)
    const inside = await look()
    process.umask(before)
    expect(inside.umask).toBe(0o027)
  })

  it('keeps descriptors of a list at their places, those between closed', async () => {
    const { descriptors } = await look({ stdio: ['ignore', 'pipe', 'inherit', 'ignore', 'pipe', null, 'pipe'] })
    expect(Object.keys(descriptors)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    expect(descriptors['0']?.target).toBe('/dev/null')
    expect(descriptors['3']?.target).toBe('/dev/null')
    expect(descriptors['4']?.target).toMatch(/^socket:/)
    expect(descriptors['5']?.target).toBe('/dev/null')
    expect(Object.values(descriptors).some(each => each.closeOnExec)).toBe(false)
  })
})
