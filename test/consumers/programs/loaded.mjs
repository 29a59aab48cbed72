// Prints the package's files that are mapped into this process once the System is open.
import { readFileSync } from 'node:fs'
import { openSystem } from 'tracegate'

openSystem()
const mapped = readFileSync('/proc/self/maps', 'utf8').match(/\/\S*tracegate\S*\.node$/gm) ?? []
console.log(JSON.stringify({ loaded: [...new Set(mapped)] }))
