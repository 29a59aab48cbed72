/** Encodes a siginfo_t whose decoded members were changed. */

import { checkAddress, checkInt, checkOptions, checkSiginfo, checkSignal, invalidValue } from './arguments.ts'
import { decodeSiginfo, type SignalInfo } from './siginfo.ts'

type Write = (view: DataView, value: unknown, name: string) => void

const int = (offset: number): Write => {
  return (view, value, name) => view.setInt32(offset, checkInt(value, name), true)
}
const pointer = (offset: number): Write => {
  return (view, value, name) => view.setBigUint64(offset, checkAddress(value, name), true)
}

/** How to write each member. Members of different layouts overlap. */
const members = (): { readonly [Name in keyof SignalInfo]?: Write } => ({
  signal: (view, value, name) => view.setInt32(0, checkSignal(value, name), true),
  errno: int(4),
  code: int(8),
  pid: int(16),
  uid: (view, value, name) => view.setUint32(20, checkInt(value, name), true),
  value: pointer(24),
  status: int(24),
  address: pointer(16),
  timerId: int(16),
  overrun: int(20),
  band: (view, value, name) => view.setBigInt64(16, BigInt(checkInt(value, name)), true),
  fd: int(24),
  callAddress: pointer(16),
  syscall: int(24),
})

/** The bytes of a siginfo, with each member that differs from its decoded value written into them. */
export function siginfoOf(given: SignalInfo | Uint8Array): Uint8Array {
  if (ArrayBuffer.isView(given)) return checkSiginfo(given, 'info')
  const writes = Object.entries(members())
  const names = [...writes.map(([name]) => name), 'architecture', 'bytes']
  const info: Readonly<Record<string, unknown>> = checkOptions(given, 'info', names)
  const bytes = checkSiginfo(info.bytes, 'info.bytes').slice()
  const decoded = decodeSiginfo(bytes) as unknown as Record<string, unknown>
  const { architecture = decoded.architecture } = info
  if (architecture !== decoded.architecture) throw invalidValue('info.architecture', 'cannot be changed', architecture)
  const view = new DataView(bytes.buffer)
  for (const [name, write] of writes) {
    const value = info[name]
    if (value !== undefined && value !== decoded[name]) write(view, value, `info.${name}`)
  }
  return bytes
}
