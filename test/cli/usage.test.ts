import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { tracegate } from './command.ts'

describe('tracegate', () => {
  it('prints its help', async () => {
    for (const args of [
      ['--help'],
      ['-h'],
      ['help'],
      ['run', '--help'],
      ['run', '--json', '-h'],
      ['hold', '--help', '--', 'x'],
      ['with', 'gdb', '--help'],
      ['explore', '--help'],
      ['explore', '--json', '-h'],
      ['doctor', '--help'],
    ]) {
      const { status, stdout, stderr } = await tracegate(...args)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const options = ['--timeline', '--json', '--simulate', '--detach', '--continue', '--svg']
      for (const word of ['run', 'hold', 'with', 'explore', 'doctor', ...options]) {
        expect(stdout).toContain(word)
      }
    }
  })

  it.each(['--version', '-v', '-V'])('prints its version: %s', async option => {
    expect(await tracegate(option)).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  it.each([
    [[], 'missing command'],
    [['--', '/bin/true'], 'missing command'],
    [['fly'], "unknown command 'fly'"],
    [['/bin/true'], "unknown command '/bin/true'"],
    [['--fly'], "unknown option '--fly'"],
    [['-j', 'run', '/bin/true'], "unknown option '-j'"],
    [['toString'], "unknown command 'toString'"],
    [['run'], 'missing program'],
    [['run', '--'], 'missing program'],
    [['run', '--', ''], 'missing program'],
    [['run', '--fly', '--', '/bin/true'], "unknown option '--fly'"],
    [['run', '--fly', '/bin/true'], "unknown option '--fly'"],
    [['run', '--no-json', '--', '/bin/true'], "unknown option '--no-json'"],
    [['run', '--jso', '--', '/bin/true'], "unknown option '--jso'"],
    [['run', '-j', '--', '/bin/true'], "unknown option '-j'"],
    [['run', '--json=yes', '--', '/bin/true'], "option '--json' does not take an argument"],
    [['run', '--detach', '--', '/bin/true'], "unknown option '--detach'"],
    [['hold'], 'missing program'],
    [['hold', '--json', '--', '/bin/true'], "unknown option '--json'"],
    [['with'], "missing the tool's line"],
    [['with', '--', '/bin/true'], 'missing'],
    [['with', 'gdb', '--', '/bin/true'], '{pid}'],
    [['with', 'gdb -p {pid}'], 'missing program'],
    [['with', 'gdb -p {pid}', 'more', '--', '/bin/true'], "unexpected argument 'more' before --"],
    [['with', 'gdb -p {pid}', '/bin/true'], "missing -- before the program: '/bin/true'"],
    [['explore', '--svg'], "option '--svg <value>' argument missing"],
    [['explore', '--svg='], "option '--svg' is empty"],
    [['explore', '--json=yes'], "option '--json' does not take an argument"],
    [['explore', '--timeline'], "unknown option '--timeline'"],
    [['explore', '/bin/true'], "unexpected argument '/bin/true'"],
    [['explore', '--', '/bin/true'], "unexpected argument '/bin/true'"],
    [['with', '--detach', 'gdb -p {pid}', '--', '/bin/true'], "unknown option '--detach'"],
  ])('refuses %j with exit status 2 and one line that says why', async (args, why) => {
    const { status, stdout, stderr } = await tracegate(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^tracegate: [^\n]*\n$/)
    expect(stderr).toContain(why)
  })
})
