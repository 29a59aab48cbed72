import { describe, expect, it } from 'vitest'
import { kernelFact, libcFact } from '../../lib/doctor/machine.ts'

describe('kernelFact()', () => {
  it('names the kernel where nothing is missing from it', () => {
    expect(kernelFact('linux', '6.1.0-13-amd64')).toEqual({
      name: 'kernel',
      status: 'ok',
      detail: 'Linux 6.1.0-13-amd64',
    })
    expect(kernelFact('linux', '5.9.0')).toMatchObject({ status: 'ok' })
  })

  it('warns of a kernel without close_range', () => {
    expect(kernelFact('linux', '5.8.18')).toMatchObject({ status: 'warn', cure: 'Linux 5.9 or later' })
    expect(kernelFact('linux', '4.18.0-553.el8')).toMatchObject({ status: 'warn' })
  })

  it('fails where there is no Linux', () => {
    expect(kernelFact('darwin', '24.0.0')).toMatchObject({ status: 'fail', detail: expect.stringContaining('darwin') })
  })
})

describe('libcFact()', () => {
  it('names the C library of this Node, and its version where it tells', () => {
    const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    const { glibcVersionRuntime: version } = header
    expect(libcFact().detail).toBe(version === undefined ? 'musl' : `glibc ${version}`)
  })
})
