/** Catchpoints for system calls: some of them alone, with their arguments, results, and breakpoints beside them. */

import { constants as hostConstants } from 'node:os'
import { expect, it } from 'vitest'
import { constants, type SyscallInfo, syscallName, syscallNumber, type Tracee } from '../../../../lib/index.ts'
import { describeDebugger, isArm64, start } from './support/debuggee.ts'

const { EPERM } = hostConstants.errno
const { NT_ARM_SYSTEM_CALL } = constants

/** A result of a system call as its register holds it. */
const result = (value: number) => BigInt.asUintN(64, BigInt(value))

const setLength = (tracee: Tracee, length: bigint) => tracee.setRegisters(isArm64 ? { x2: length } : { rdx: length })
const setResult = (tracee: Tracee, value: bigint) => tracee.setRegisters(isArm64 ? { x0: value } : { rax: value })

/** At the entry of a system call: has it not be made. */
function skipCall(tracee: Tracee): void {
  if (isArm64) tracee.setRegisterSet(NT_ARM_SYSTEM_CALL, Uint8Array.of(255, 255, 255, 255))
  else tracee.setRegisters({ orig_rax: result(-1) })
}

describeDebugger('a debugger', () => {
  /** Runs the part 'system-calls'; `caught` is called at each stop of a write. The calls by name, and the output. */
  async function catchWrites(caught: (info: SyscallInfo, debuggee: Awaited<ReturnType<typeof start>>) => void) {
    await using debuggee = await start(['system-calls'])
    const { tracee } = debuggee
    let said = ''
    tracee.stdout.on('data', chunk => {
      said += chunk
    })
    const write = syscallNumber('write', isArm64 ? 'arm64' : 'x64')
    const names: string[] = []
    let isWrite = false
    tracee.syscall()
    for await (const stop of tracee.stops()) {
      const info = tracee.syscallInfo()
      expect([stop.event, stop.phase]).toEqual(['syscall', info.phase])
      if (info.phase === 'entry') {
        isWrite = info.number === write
        names.push(syscallName(info.number, info.architecture) ?? '?')
      }
      if (isWrite) caught(info, debuggee)
      tracee.syscall()
    }
    const { code } = await tracee.exited
    if (!tracee.stdout.closed) await new Promise(resolve => tracee.stdout.once('close', resolve))
    return { names, said, code }
  }

  it('catches one system call alone, at its entry and its exit, with what it writes', async () => {
    const caught: unknown[] = []
    const { names, said, code } = await catchWrites((info, { tracee }) => {
      if (info.phase === 'entry') {
        const [fd, address = 0n, length] = info.args
        caught.push([fd, Buffer.from(tracee.readMemory(address, Number(length))).toString()])
      } else if (info.phase === 'exit') caught.push([info.result, info.isError])
    })
    const exit = [4n, false]
    expect(caught).toEqual([[1n, 'one\n'], exit, [1n, 'two\n'], exit])
    expect(said).toBe('one\ntwo\n')
    expect(names).toEqual(expect.arrayContaining(['write', 'getppid', 'exit_group']))
    expect(code).toBe(0)
  })

  it('gives a system call other arguments, and another result', async () => {
    const { said, code } = await catchWrites((info, { tracee }) => {
      if (info.phase === 'entry') setLength(tracee, 2n)
      else setResult(tracee, result(4))
    })
    expect(said).toBe('ontw')
    expect(code).toBe(0)
  })

  it('keeps a system call from being made, and gives its error', async () => {
    const { said, code } = await catchWrites((info, { tracee }) => {
      if (info.phase === 'entry') skipCall(tracee)
      else setResult(tracee, result(-EPERM))
    })
    expect(said).toBe('')
    expect(code).toBe(1)
  })

  it.each(['beforeCall', 'afterCall'])('misses neither a call nor a breakpoint, %s its instruction', async where => {
    await using debuggee = await start(['system-calls'])
    const { tracee, places, untilTrap } = debuggee
    const main = tracee.breakpoint(places.of('callSystem'))
    await untilTrap()
    main[Symbol.dispose]()
    const address = places.of(where)
    using _ = tracee.breakpoint(address)
    const write = syscallNumber('write', isArm64 ? 'arm64' : 'x64')
    const seen: unknown[] = []
    let isWrite = false
    for (;;) {
      tracee.syscall()
      const status = await tracee.wait()
      if (status.kind !== 'stopped') break
      if (status.trap !== undefined) {
        expect(tracee.registers().pc).toBe(address)
        seen.push('trap')
        continue
      }
      const info = tracee.syscallInfo()
      if (info.phase === 'entry') isWrite = info.number === write
      if (isWrite) seen.push(info.phase)
    }
    const once = where === 'beforeCall' ? ['trap', 'entry', 'exit'] : ['entry', 'exit', 'trap']
    expect(seen).toEqual([...once, ...once])
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it('is told of a step over a system call that comes to a breakpoint', async () => {
    await using debuggee = await start(['system-calls'])
    const { tracee, places, untilTrap } = debuggee
    const before = tracee.breakpoint(places.of('beforeCall'))
    await untilTrap()
    before[Symbol.dispose]()
    const address = places.of('afterCall')
    const after = tracee.breakpoint(address)
    tracee.step()
    expect(await tracee.wait()).toMatchObject({ trap: { kind: 'breakpoint', address } })
    expect(tracee.registers().pc).toBe(address)
    tracee.step()
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    after[Symbol.dispose]()
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })
})
