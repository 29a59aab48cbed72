// Looks at a program at its very first instruction, then takes a few steps with it.

import { launch } from 'tracegate'

await using(await launch('/bin/true'), async tracee => {
  const { rip, rsp, pc = rip, sp = rsp } = tracee.registers()
  console.log(`process ${tracee.pid} stands at 0x${pc.toString(16)}, its stack at 0x${sp.toString(16)}`)

  const code = Buffer.from(tracee.readMemory(pc, 16))
  console.log(`its first bytes: ${code.toString('hex')}`)

  for (let i = 1; i <= 3; i++) {
    tracee.step()
    await tracee.wait()
    const now = tracee.registers()
    console.log(`after step ${i}: 0x${(now.pc ?? now.rip).toString(16)}`)
  }
  console.log(`its exit code: ${(await tracee.run()).code}`)
})

// Node before 24 has no 'await using' of its own.
async function using(resource, body) {
  try {
    await body(resource)
  } finally {
    await resource[Symbol.asyncDispose]()
  }
}
