// Holds a program before its first instruction: stopped and untraced, for a debugger to take over.
//
//   node examples/hold-for-gdb.mjs /bin/ls -l        then, elsewhere: gdb -p PID

import { launch } from 'tracegate'

const [program = '/bin/echo', ...args] = process.argv.slice(2)

const tracee = await launch(program, args, { stdio: 'inherit' })
await tracee.handOff()
console.log(`held: gdb -p ${tracee.pid}   (or let it go: kill -CONT ${tracee.pid})`)

const { code, signal } = await tracee.exited
console.log(`ended: ${signal ?? code}`)
