// The handshake by hand: the child notifies over a Channel once it is traced, so the parent's waitpid cannot come too
// early.

import { Channel, openSystem } from 'tracegate'

const system = openSystem()
const channel = Channel.open({ system })

const pid = system.fork({
  actions: [
    { op: 'traceme' },
    { op: 'write', fd: channel.writeFd, data: Uint8Array.of(1) },
    { op: 'dup2', fd: 1, target: 1 }, // Node has made it close-on-exec; this undoes that
    { op: 'execve', files: ['/bin/echo'], argv: ['echo', 'hello from the child'], env: [] },
  ],
})
channel.closeWrite()

await channel.wait({ timeoutMs: 5000 })
console.log('the child is traced')

for (;;) {
  const status = system.waitpid(pid)?.status
  if (status?.kind !== 'stopped') break
  console.log(`it stopped with ${status.signal}`)
  system.ptraceCont(pid)
}
channel.close()
console.log('it has ended')
