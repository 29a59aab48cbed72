/** The architectures of tracees, by the kernel's AUDIT_ARCH_* values. */

/** The architecture of a tracee's program. A 64-bit kernel may run it in 32 bits. */
export type Architecture = 'x64' | 'ia32' | 'arm64' | 'arm'

const audits: ReadonlyMap<number, Architecture> = new Map([
  [0xc000003e, 'x64'],
  [0x40000003, 'ia32'],
  [0xc00000b7, 'arm64'],
  [0x40000028, 'arm'],
])

/** The architecture of an AUDIT_ARCH_* value; undefined for any other. */
export function architectureOfAudit(value: number): Architecture | undefined {
  return audits.get(value)
}
