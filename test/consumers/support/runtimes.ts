/**
 * Foreign runtimes and tools from the npm registry, kept in the user's cache. Each is one package, pinned by its
 * hash. Their install scripts do not run.
 */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Package {
  readonly name: string
  readonly version: string
  readonly integrity: string
  /** The program's path inside the package. */
  readonly program: string
}

const node = (version: string, integrity: string, arch = 'x64'): Package => ({
  name: `node-linux-${arch}`,
  version,
  integrity,
  program: 'bin/node',
})

const typescript = (version: string, integrity: string): Package => ({
  name: 'typescript',
  version,
  integrity,
  program: 'bin/tsc',
})

const packages = {
  node20: node(
    '20.20.2',
    'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
  ),
  node22: node(
    '22.23.3',
    'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  ),
  node24: node(
    '24.21.0',
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  ),
  node26: node(
    '26.10.0',
    'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
  ),
  nodeArm64: node(
    '22.23.3',
    'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    'arm64',
  ),
  npm10: {
    name: 'npm',
    version: '10.9.9',
    integrity: 'sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==',
    program: 'bin/npm-cli.js',
  },
  npm11: {
    name: 'npm',
    version: '11.21.2',
    integrity: 'sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==',
    program: 'bin/npm-cli.js',
  },
  npm12: {
    name: 'npm',
    version: '12.2.0',
    integrity: 'sha512-ZsJjKpTnlmSXOLLXiU1xDCzC4Wlok4IwZmh/aw2KUuXytU7q6qMv/cUT7MoeSf95Slwuw/lRXYefGzGCspHPNQ==',
    program: 'bin/npm-cli.js',
  },
  pnpm: {
    name: '@pnpm/exe.linux-x64',
    version: '12.21.0',
    integrity: 'sha512-8eufCjHXspKbNS/kh8q4Q0gqJoOuvC4Q5pgos6XS8By/nAMtP+jf8F1Cw9er840kfAX+PJ/ts+A9qnLE91rvXQ==',
    program: 'pnpm',
  },
  yarn1: {
    name: 'yarn',
    version: '1.22.22',
    integrity: 'sha512-prL3kGtyG7o9Z9Sv8IPfBNrWTDmXB4Qbes8A9rEzt6wkJV8mUvoirjU0Mp3GGAU06Y0XQyA3/2/RQFVuK7MTfg==',
    program: 'bin/yarn.js',
  },
  yarn4: {
    name: '@yarnpkg/cli-dist',
    version: '4.18.1',
    integrity: 'sha512-EH+A4TxAtBWXKE0DGQxW9Bo9crXHLJ73mfxjTQJuv8XonNWWTpei8BQ5JjczHJNU9GROTycwMFn8iOvRIZXUcA==',
    program: 'bin/yarn.js',
  },
  typescript54: typescript(
    '5.4.5',
    'sha512-vcI4UpRgg81oIRUFwR0WSIHKt11nJ7SAVlYNIu+QpqeyXP+gpQJy/Z4+F0aGxSE4MqwjyXvW/TzgkLAx2AGHwQ==',
  ),
  typescript55: typescript(
    '5.5.4',
    'sha512-Mtq29sKDAEYP7aljRgtPOpTvOfbwRWlS6dPRzwjdE+C0R4brX/GUyhHSecbHMFLNBLcJIPt9nl9yG5TZ1weH+Q==',
  ),
  typescript56: typescript(
    '5.6.3',
    'sha512-hjcS1mhfuyi4WW8IWtjP7brDrG2cuDZukyrYrSauoXGNgx0S7zceP07adYkJycEr56BOUTNPzbInooiN3fn1qw==',
  ),
  typescript57: typescript(
    '5.7.3',
    'sha512-84MVSjMEHP+FQRPy3pX9sTVV/INIex71s9TL2Gm5FG/WG1SqXeKyZ0k7/blY/4FdOzI12CBy1vGc4og/eus0fw==',
  ),
  typescript58: typescript(
    '5.8.3',
    'sha512-p1diW6TqL9L07nNxvRMM7hMMw4c5XOo/1ibL4aAIGmSAt9slTE1Xgw5KWuof2uTOvCg9BY7ZRi+GaF+7sfgPeQ==',
  ),
  typescript59: typescript(
    '5.9.3',
    'sha512-jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw==',
  ),
  bun: {
    name: '@oven/bun-linux-x64',
    version: '1.4.5',
    integrity: 'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
    program: 'bin/bun',
  },
  bunMusl: {
    name: '@oven/bun-linux-x64-musl',
    version: '1.4.5',
    integrity: 'sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==',
    program: 'bin/bun',
  },
  bunMuslArm64: {
    name: '@oven/bun-linux-aarch64-musl',
    version: '1.4.5',
    integrity: 'sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==',
    program: 'bin/bun',
  },
  deno: {
    name: '@deno/linux-x64-glibc',
    version: '2.9.6',
    integrity: 'sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
    program: 'deno',
  },
} as const satisfies Record<string, Package>

export type RuntimeName = keyof typeof packages

/** A program to run, or the reason why it is not available here. */
export type Obtained =
  | { readonly program: string; readonly whyNot?: undefined }
  | { readonly program?: undefined; readonly whyNot: string }

/** Where all that is fetched is kept. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tracegate', 'runtimes')

class Unobtainable extends Error {}

/**
 * The path of the runtime's program. Fetches it into the cache first if missing. Throws if the package has
 * another hash.
 */
export async function obtain(name: RuntimeName): Promise<Obtained> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { whyNot: `these runtimes are for linux x64; this is ${process.platform} ${process.arch}` }
  }
  return obtainPackage(packages[name])
}

/** As {@link obtain}, a file of a package that the clone's own lockfile pins, if only for other machines. */
export async function obtainLocked(name: string, program: string): Promise<Obtained> {
  const lock = JSON.parse(await readFile(new URL('../../../package-lock.json', import.meta.url), 'utf8'))
  const { version, integrity } = lock.packages[`node_modules/${name}`] as Package
  return obtainPackage({ name, version, integrity, program })
}

async function obtainPackage(wanted: Package): Promise<Obtained> {
  const folder = join(cache, `${wanted.name.replace('/', '+')}-${wanted.version}`)
  const program = join(folder, wanted.program)
  if (await exists(program)) return { program }
  try {
    await fetchInto(folder, wanted)
  } catch (error) {
    if (error instanceof Unobtainable) return { whyNot: error.message }
    throw error
  }
  return { program }
}

/** The node_modules folder with Rollup and its plugins, as their lockfile pins them. */
export async function obtainBundlers(): Promise<Obtained> {
  const description = fileURLToPath(new URL('../bundlers/', import.meta.url))
  const lock = await readFile(join(description, 'package-lock.json'))
  const folder = join(cache, `bundlers-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`)
  const program = join(folder, 'node_modules')
  if (await exists(folder)) return { program }
  await mkdir(cache, { recursive: true })
  const unfinished = await mkdtemp(`${folder}.`)
  try {
    await cp(description, unfinished, { recursive: true })
    // `npm ci` fails here: the lockfile lists Rollup's addons for other machines only if the registry has them.
    const { status, text } = await output(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      unfinished,
    )
    if (status !== 0) return { whyNot: `npm could not install the bundlers: ${firstLine(text)}` }
    await rename(unfinished, folder).catch(ignoreQuicker)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return { program }
}

export function ignoreQuicker(error: NodeJS.ErrnoException): void {
  // Another process has put the same content there meanwhile.
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
}

async function fetchInto(folder: string, { name, version, integrity }: Package): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const unfinished = await mkdtemp(`${folder}.`)
  try {
    const fetched = await output('npm', [
      'pack',
      `${name}@${version}`,
      '--loglevel=error',
      `--pack-destination=${unfinished}`,
    ])
    if (fetched.status !== 0)
      throw new Unobtainable(`npm could not fetch ${name}@${version}: ${firstLine(fetched.text)}`)
    const [tarball] = await readdir(unfinished)
    if (tarball === undefined) throw new Error(`npm pack ${name}@${version} left no file`)
    const bytes = await readFile(join(unfinished, tarball))
    const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    if (found !== integrity) throw new Error(`${name}@${version} is not the package it was: ${found}`)
    const unpacked = await output('tar', ['-xzf', join(unfinished, tarball), '-C', unfinished])
    if (unpacked.status !== 0) throw new Error(`tar failed: ${unpacked.text}`)
    const [root] = (await readdir(unfinished)).filter(each => each !== tarball)
    await rename(join(unfinished, root!), folder).catch(ignoreQuicker)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** Runs a command; its status and all of its output. */
export function output(
  command: string,
  args: readonly string[],
  cwd = tmpdir(),
): Promise<{ status: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    // In a clone npm would read the clone's settings.
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (text += chunk))
    child.on('error', reject).on('close', status => resolve({ status, text }))
  })
}

/** The cause, out of all of npm's output. */
function firstLine(text: string): string {
  const lines = text.split('\n').flatMap(line => /^npm error (?!code |syscall |errno )(.+)/.exec(line)?.[1] ?? [])
  return lines[0] ?? text.trim()
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The suffix of a skipped suite's title. Empty if the suite runs. */
export function skipped(...obtained: readonly { readonly whyNot?: string | undefined }[]): string {
  const reasons = obtained.flatMap(({ whyNot }) => whyNot ?? [])
  return reasons.length === 0 ? '' : ` (skipped: ${reasons.join('; ')})`
}
