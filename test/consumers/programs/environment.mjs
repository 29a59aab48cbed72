// Prints a child's view of a variable that this program sets before it launches.
import { launch } from 'tracegate'

process.env.CONSUMER_SET = 'by the program'
const child = await launch('/usr/bin/env', [], { trace: false })
let output = ''
for await (const chunk of child.stdout) output += chunk
console.log(JSON.stringify({ set: /^CONSUMER_SET=(.*)$/m.exec(output)?.[1] }))
