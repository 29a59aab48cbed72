// Faults of a release that no build step or test reports.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const semanticVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/
// npm 12 and pnpm block install scripts. A failing one fails the user's whole install.
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare']

/** Undefined if there is no fault, else one line per fault. */
export function faultsOfRelease(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  const faults = [...faultsOfManifest(manifest), ...faultsOfChangelog(changelog, manifest.version)]
  return faults.length === 0 ? undefined : faults.join('\n')
}

/** @param {{ version: string, scripts?: object, gypfile?: boolean | undefined, dependencies?: object }} manifest */
export function faultsOfManifest({ version, scripts = {}, gypfile, dependencies = {} }) {
  const faults = []
  if (!semanticVersion.test(version)) faults.push(`the version ${version} is not a semantic one`)
  for (const name of installScripts.filter(name => name in scripts)) faults.push(`there is an install script: ${name}`)
  // Without this npm adds an install script, because the repository has a binding.gyp at its root.
  if (gypfile !== false) faults.push('gypfile is not false')
  for (const name of Object.keys(dependencies)) faults.push(`users would have to install ${name}`)
  return faults
}

/**
 * The package size in README.md must be right to a twentieth. It cannot be exact: README.md is part of the
 * package.
 *
 * @param {string} readme
 * @param {{ size: number, unpackedSize: number }} packed
 */
export function faultsOfSize(readme, { size, unpackedSize }) {
  const [, download, unpacked] = /(\d+) kB to download, ([\d.]+) MB unpacked/.exec(readme) ?? []
  const isSo = (said, is) => Math.abs(said / is - 1) <= 0.05
  if (isSo(Number(download) * 1e3, size) && isSo(Number(unpacked) * 1e6, unpackedSize)) return undefined
  const said = `${Math.round(size / 1e3)} kB to download, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`
  return `README.md does not say the size of the package: ${said}`
}

/** The newest entry must be this version's, dated and not empty. */
export function faultsOfChangelog(text, version) {
  const [, newest, date, body] = /^## (\S+) \((.+?)\)\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(text) ?? []
  if (newest !== version) return [`the newest entry of CHANGELOG.md is ${newest}, not ${version}`]
  const faults = []
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) faults.push(`CHANGELOG.md gives ${version} no date: ${date}`)
  if (body.trim() === '') faults.push(`CHANGELOG.md says nothing of ${version}`)
  return faults
}
