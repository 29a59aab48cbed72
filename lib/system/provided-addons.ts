/** Addons inside a bundled program: `tracegate/native/PLATFORM` registers them here. */

const provided = new Map<string, () => unknown>()

/** Registers the addon for one platform ('linux-x64-glibc'). */
export function provideAddon(platform: string, load: () => unknown): void {
  provided.set(platform, load)
}

/** The loader of the bundled addon for a platform; undefined if there is none. */
export function providedAddon(platform: string): (() => unknown) | undefined {
  return provided.get(platform)
}
