// tracegate from its import to its first child stopped at the exec.

const start = performance.now()
const { launch, openSystem } = await import('tracegate')
const imported = performance.now()
const child = await launch('/bin/true', [], { stdio: 'inherit', system: openSystem('native') })
const end = performance.now()
child.cont()
await child.exited
console.log(JSON.stringify({ imported: imported - start, first: end - imported }))
