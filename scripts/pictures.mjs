// Draws the pictures of the documentation, each by the project itself.
//
//   node scripts/pictures.mjs [folder]     into docs/, or into another folder

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = process.argv[2] ?? join(root, 'docs')

/** Each picture, and the command that draws it into a file. */
const pictures = {
  'a-race.svg': file => ['dist/cli/main.js', 'explore', '--svg', file],
  'a-launch.svg': file => ['examples/draw-a-launch.mjs', file],
  'a-hasty-launcher.svg': file => ['examples/explore-a-launcher.mjs', file],
}

for (const [name, command] of Object.entries(pictures)) {
  const { status, stderr } = spawnSync(process.execPath, command(join(folder, name)), { cwd: root, encoding: 'utf8' })
  if (status === 0) continue
  process.stderr.write(stderr)
  throw new Error(`${name} was not drawn`)
}
