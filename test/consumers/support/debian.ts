/**
 * Debian's packages for another architecture, unpacked into a folder of the user's cache, by this machine's apt with
 * lists of its own. Nothing of this machine changes, and none of the packages' scripts runs.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cache, exists, ignoreQuicker, type Obtained, output } from './runtimes.ts'

/** What Debian's packages leave to their scripts. */
const links: Readonly<Record<string, string>> = {
  'usr/bin/sh': 'dash',
  'usr/bin/cc': 'gcc',
  'usr/bin/awk': 'gawk',
  'usr/bin/nc': 'nc.openbsd',
}

const files: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1 localhost\n',
}

/** What no test needs, though it is most of the bytes. */
const unwanted = ['./lib/modules', './usr/share']

/** The folder with these packages and all that they depend on. */
export async function obtainDebian(architecture: string, packages: readonly string[]): Promise<Obtained> {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (spawnSync(tool, ['--version']).status !== 0) return { whyNot: `no ${tool} here, which Debian has` }
  }
  const key = createHash('sha256')
    .update(JSON.stringify([packages, links, files, unwanted]))
    .digest('hex')
    .slice(0, 16)
  const folder = join(cache, `debian-${architecture}-${key}`)
  if (await exists(folder)) return { program: folder }
  await mkdir(cache, { recursive: true })
  const unfinished = await mkdtemp(`${folder}.`)
  try {
    const debs = await download(join(unfinished, 'apt'), architecture, packages)
    if (typeof debs === 'string') return { whyNot: debs }
    const root = join(unfinished, 'root')
    await unpack(debs, root)
    await rename(root, folder).catch(ignoreQuicker)
    return { program: folder }
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** The paths of the packages' files, or the reason why there are none. */
async function download(
  folder: string,
  architecture: string,
  packages: readonly string[],
): Promise<readonly string[] | string> {
  for (const name of ['lists/partial', 'cache/archives/partial']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'status'), '')
  const settings = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    'APT::Install-Recommends=false',
    'APT::Sandbox::User=',
    `Dir::State=${folder}`,
    `Dir::State::Lists=${folder}/lists`,
    `Dir::State::Status=${folder}/status`,
    `Dir::Cache=${folder}/cache`,
    'Debug::NoLocking=true',
  ].flatMap(setting => ['-o', setting])
  // It fails where one of several sources lacks the architecture. Whether the others suffice shows next.
  const updated = await output('apt-get', [...settings, 'update'])
  const install = [...settings, 'install', '--yes', '--download-only', ...packages]
  const installed = await output('apt-get', install)
  if (installed.status !== 0) {
    const errors = `${updated.text}${installed.text}`.split('\n').filter(line => line.startsWith('E: '))
    return `apt has no packages for ${architecture}: ${errors[0] ?? installed.text.trim()}`
  }
  const archives = join(folder, 'cache/archives')
  return (await readdir(archives)).filter(name => name.endsWith('.deb')).map(name => join(archives, name))
}

async function unpack(debs: readonly string[], root: string): Promise<void> {
  for (const name of ['usr/bin', 'usr/sbin', 'usr/lib', 'etc', 'proc', 'sys', 'dev', 'run', 'root']) {
    await mkdir(join(root, name), { recursive: true })
  }
  for (const name of ['bin', 'sbin', 'lib']) await symlink(`usr/${name}`, join(root, name))
  for (const deb of debs) {
    const script = 'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x "$@"'
    const options = [
      '--keep-directory-symlink',
      '--no-same-owner',
      '-C',
      root,
      ...unwanted.map(path => `--exclude=${path}`),
    ]
    const { status, text } = await output('/bin/bash', ['-o', 'pipefail', '-c', script, '-', deb, ...options])
    if (status !== 0) throw new Error(`${deb}: ${text}`)
  }
  for (const [path, target] of Object.entries(links)) {
    if (!(await exists(join(root, path)))) await symlink(target, join(root, path))
  }
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text)
}
