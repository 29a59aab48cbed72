import { constants, world } from '../world.ts'

const { AF_UNIX, SOCK_NONBLOCK, POLLIN, POLLOUT, POLLRDHUP, POLLPRI, EPOLLET, EPOLL_CTL_ADD } = constants

/**
 * A connected pair of sockets: `events` are those poll(2) reports of one at once, and `watch` gives a function that
 * takes an edge-triggered epoll's next event of one.
 */
export function pair(type: number, flags = SOCK_NONBLOCK) {
  const { host, kernel } = world()
  const [a, b] = host.socketpair(AF_UNIX, type | flags)
  const events = (fd: number) => host.poll([{ fd, events: POLLIN | POLLOUT | POLLRDHUP | POLLPRI }], 0)[0]!
  const watch = (fd: number, mask: number) => {
    const ep = host.epollCreate1()
    host.epollCtl(ep, EPOLL_CTL_ADD, fd, { events: (mask | EPOLLET) >>> 0, data: 0 })
    return () => host.epollWait(ep, 1, 0).map(event => event.events)[0] ?? 0
  }
  return { host, kernel, a, b, events, watch }
}
