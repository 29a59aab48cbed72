// The platforms that the package brings a prebuilt addon for.

/** glibc 2.17 is what the compiler links against; every Node that we support needs a newer one (2.28) itself. */
export const targets = ['x64', 'arm64'].flatMap(arch => {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[arch]
  return [
    { name: `linux-${arch}-glibc`, arch, libc: 'glibc', triple: `${machine}-linux-gnu.2.17` },
    { name: `linux-${arch}-musl`, arch, libc: 'musl', triple: `${machine}-linux-musl` },
  ]
})

/** Where a target's addon is, from the package's root. */
export function prebuildPath({ arch, libc }) {
  return `prebuilds/linux-${arch}/tracegate.${libc}.node`
}
