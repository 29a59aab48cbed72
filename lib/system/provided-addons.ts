/** Addons that a bundled program brought along: `tracegate/native/PLATFORM` registers them here. */

const provided = new Map<string, () => unknown>()

/** Registers the addon for one platform ('linux-x64-glibc'). */
export function provideAddon(platform: string, load: () => unknown): void {
  provided.set(platform, load)
}

/** What loads the addon that was brought along for a platform; undefined where none was. */
export function providedAddon(platform: string): (() => unknown) | undefined {
  return provided.get(platform)
}
