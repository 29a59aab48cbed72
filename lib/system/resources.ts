/** The resource limits of setrlimit(2), by their names in lower case, and the numbers of asm-generic/resource.h. */

/** The kernel's number of each resource. */
export const resourceNumbers = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const

/** A resource that setrlimit(2) limits: RLIMIT_NOFILE is 'nofile'. */
export type ResourceName = keyof typeof resourceNumbers

/** Whether a value is the name of a resource. */
export function isResourceName(value: unknown): value is ResourceName {
  return typeof value === 'string' && Object.hasOwn(resourceNumbers, value)
}
