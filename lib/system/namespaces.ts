/** The kinds of namespaces(7), and their clone(2) flags. */

/** The CLONE_NEW* flag of each kind. */
export const namespaceFlags = {
  mnt: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
} as const

/** A kind of namespace: CLONE_NEWNS is 'mnt'. */
export type NamespaceName = keyof typeof namespaceFlags

/** Whether a value is a kind of namespace. */
export function isNamespaceName(value: unknown): value is NamespaceName {
  return typeof value === 'string' && Object.hasOwn(namespaceFlags, value)
}

/** The clone(2) flags of these namespaces. */
export function flagsOfNamespaces(names: readonly NamespaceName[]): number {
  return names.reduce((flags, name) => flags | namespaceFlags[name], 0)
}
