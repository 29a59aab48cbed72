import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'

export const plain = { trace: false, stdio: 'ignore' } as const

/** Launches the shell with this script, untraced. */
export const shell = (script: string, options: LaunchOptions) =>
  launch('/bin/sh', ['-c', script], { ...plain, ...options, trace: false })

/** A Python program that says READY=1 as libsystemd does, and other lines in datagrams of their own. */
export const notify = (...datagrams: string[]) => `
import os, socket, sys
address = os.environ['NOTIFY_SOCKET']
address = '\\0' + address[1:] if address.startswith('@') else address
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.connect(address)
    for datagram in ${JSON.stringify(datagrams)}: s.send(datagram.encode())
`
