// A launcher under every schedule: one that takes the first bytes for the whole line, and one that waits for the line.
// With the name of a file it draws the schedule that fails: node explore-a-launcher.mjs failure.svg

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { launch } from 'tracegate'
import { explore, replay } from 'tracegate/sim'

/** @typedef {import('tracegate').System} System */

/**
 * Starts a server, and waits until it says on which port it listens.
 *
 * @param {string} file @param {System} system
 */
async function startHastily(file, system) {
  const server = await launch(file, [], { system, trace: false, stdio: ['ignore', 'pipe', 'ignore'] })
  const text = await new Promise(resolve => server.stdout?.once('data', resolve))
  return { server, port: Number(/port (\d*)/.exec(String(text))?.[1]) }
}

/**
 * The same, by the line; a server that ends instead is an error.
 *
 * @param {string} file @param {System} system
 */
async function startPatiently(file, system) {
  const server = await launch(file, [], { system, trace: false, stdio: ['ignore', 'pipe', 'ignore'] })
  const line = await new Promise((resolve, reject) => {
    let text = ''
    server.stdout?.on('data', chunk => {
      text += chunk
      if (text.includes('\n')) resolve(text)
    })
    server.stdout?.once('end', () => reject(new Error('the server ended before it was ready')))
  })
  return { server, port: Number(/port (\d+)/.exec(String(line))?.[1]) }
}

/**
 * The server becomes ready, and ends at SIGTERM.
 *
 * @param {typeof startHastily} start
 * @returns {import('tracegate/sim').Scenario}
 */
function scenario(start) {
  return async ({ kernel, system }) => {
    kernel.install('/bin/server', function* (process) {
      yield* process.write(1, new TextEncoder().encode('port 80'))
      yield* process.write(1, new TextEncoder().encode('80\n'))
      yield* process.pause()
    })
    const { server, port } = await start('/bin/server', system)
    assert.equal(port, 8080)
    server.kill('SIGTERM')
    assert.equal((await server.exited).signal, 'SIGTERM')
  }
}

const { failure } = await explore(scenario(startHastily))
assert(failure)
console.log(`hasty: ${failure.kind}: ${failure.error.message}`)
console.log(String(failure.timeline))
if (process.argv[2] !== undefined) writeFileSync(process.argv[2], failure.timeline.toSvg())

const again = await replay(scenario(startHastily), failure.schedule)
console.log(`replayed: ${again.failure?.kind}`)

const mended = await explore(scenario(startPatiently))
console.log(
  `patient: ${mended.failure?.error ?? 'nothing found'} in ${mended.schedules} schedules, complete: ${mended.complete}`,
)
