// Opens the System repeatedly, and reports the resulting warnings.
import { launch, openSystem } from 'tracegate'

const warnings = []
process.on('warning', ({ code, message }) => warnings.push({ code, message }))
const kinds = [openSystem(), openSystem('auto')].map(({ kind }) => kind)
const tracee = await launch('/bin/true')
await tracee.run()
kinds.push(openSystem().kind)
setImmediate(() => console.log(JSON.stringify({ warnings, kinds })))
