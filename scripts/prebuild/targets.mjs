// The platforms with a prebuilt addon in the package.

/** The compiler links against glibc 2.17. Every supported Node needs a newer one (2.28) itself. */
export const targets = ['x64', 'arm64'].flatMap(arch => {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[arch]
  return [
    { name: `linux-${arch}-glibc`, arch, libc: 'glibc', triple: `${machine}-linux-gnu.2.17` },
    { name: `linux-${arch}-musl`, arch, libc: 'musl', triple: `${machine}-linux-musl` },
  ]
})

/** A target's addon, relative to the package's root. */
export function prebuildPath({ arch, libc }) {
  return `prebuilds/linux-${arch}/tracegate.${libc}.node`
}
