// child_process from its import to the 'spawn' event of its first child.

const start = performance.now()
const { spawn } = await import('node:child_process')
const imported = performance.now()
const child = spawn('/bin/true', [], { stdio: 'inherit' })
await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
const end = performance.now()
console.log(JSON.stringify({ imported: imported - start, first: end - imported }))
