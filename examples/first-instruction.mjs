// Looks at a program at its very first instruction, then takes a few steps with it.

import { launch } from 'tracegate'

const tracee = await launch('/bin/true')
try {
  const { pc, sp } = tracee.registers()
  console.log(`process ${tracee.pid} stands at 0x${pc.toString(16)}, its stack at 0x${sp.toString(16)}`)

  const code = Buffer.from(tracee.readMemory(pc, 16))
  console.log(`its first bytes: ${code.toString('hex')}`)

  for (let i = 1; i <= 3; i++) {
    tracee.step()
    await tracee.wait()
    console.log(`after step ${i}: 0x${tracee.registers().pc.toString(16)}`)
  }
  console.log(`its exit code: ${(await tracee.run()).code}`)
} finally {
  // From Node 24 on, 'await using tracee' does the same.
  await tracee[Symbol.asyncDispose]()
}
