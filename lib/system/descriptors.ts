/** System's calls on descriptors: pipes, sockets, and reads and writes. */

/** A message for sendmsg: bytes, and descriptors that travel with them. */
export interface OutgoingMessage {
  /** The bytes to send. */
  readonly data: Uint8Array
  /** Descriptors for the receiver, as SCM_RIGHTS; at most 253. */
  readonly fds?: readonly number[]
}

/** The destination of recvmsg. */
export interface MessageRoom {
  /** Takes the bytes. */
  readonly buffer: Uint8Array
  /** The most descriptors to receive; none by default. */
  readonly maxFds?: number
}

/** A message from recvmsg. */
export interface ReceivedMessage {
  /** The number of bytes; 0 at end of file. */
  bytes: number
  /** The descriptors received, close-on-exec if MSG_CMSG_CLOEXEC was given. */
  fds: number[]
  /** A mask of MSG_*: MSG_CTRUNC if some descriptors had no room. */
  flags: number
}

/** The size of a terminal's window, in characters. */
export interface WindowSize {
  /** The lines; 0 to 65535. */
  readonly rows: number
  /** The characters of a line; 0 to 65535. */
  readonly columns: number
}

/** The calls on descriptors. Each throws SystemError; a call that would block, blocks. */
export interface Descriptors {
  /** `int pipe2(int fds[2], int flags)`: a one-way channel. @see man 2 pipe2 */
  pipe2(flags?: number): [readFd: number, writeFd: number]
  /** `int socketpair(int domain, int type, int protocol, int fds[2])`: a two-way channel. @see man 2 socketpair */
  socketpair(domain: number, type: number, protocol?: number): [number, number]
  /** `ssize_t read(int fd, void *buffer, size_t count)`: the bytes read; 0 at end of file. @see man 2 read */
  read(fd: number, buffer: Uint8Array): number
  /** `ssize_t write(int fd, const void *data, size_t count)`: the bytes written. @see man 2 write */
  write(fd: number, data: Uint8Array): number
  /** `ssize_t send(int fd, const void *data, size_t count, int flags)`: the bytes sent. @see man 2 send */
  send(fd: number, data: Uint8Array, flags?: number): number
  /** `ssize_t recv(int fd, void *buffer, size_t count, int flags)`: the bytes received. @see man 2 recv */
  recv(fd: number, buffer: Uint8Array, flags?: number): number
  /** `ssize_t sendmsg(int fd, const struct msghdr *, int flags)`, with descriptors as SCM_RIGHTS. @see man 7 unix */
  sendmsg(fd: number, message: OutgoingMessage, flags?: number): number
  /**
   * `ssize_t recvmsg(int fd, struct msghdr *, int flags)`: the bytes, the descriptors, msg_flags (MSG_CTRUNC …).
   *
   * @see man 2 recv
   */
  recvmsg(fd: number, into: MessageRoom, flags?: number): ReceivedMessage
  /** `int shutdown(int fd, int how)`. @see man 2 shutdown */
  shutdown(fd: number, how: number): void
  /** `int close(int fd)`. @see man 2 close */
  close(fd: number): void
  /** `int dup(int fd)`: the lowest free descriptor. @see man 2 dup */
  dup(fd: number): number
  /** `int dup3(int fd, int target, int flags)`. @see man 2 dup */
  dup3(fd: number, target: number, flags?: number): number
  /** `int fcntl(int fd, int command, int argument)`, the commands whose argument is an integer. @see man 2 fcntl */
  fcntl(fd: number, command: number, argument?: number): number
  /** `int getsockopt(...)` of an int option: SO_ERROR, SO_SNDBUF, SO_TYPE … @see man 7 socket */
  getsockopt(fd: number, level: number, option: number): number
  /** `int setsockopt(...)` of an int option. @see man 7 socket */
  setsockopt(fd: number, level: number, option: number, value: number): void
  /** `ioctl(fd, FIONREAD)`: the number of bytes that can be read. @see man 2 ioctl */
  bytesReadable(fd: number): number
  /** Opens an existing file, writes `text` in one write and closes it: /proc/PID/uid_map, cgroup.procs. */
  writeFile(path: string, text: string): void
  /**
   * A new pseudo-terminal of that size, 0 by 0 by default: its master and its slave, both close-on-exec and above 2.
   *
   * @see man 3 openpty, man 4 ptmx
   */
  openpty(size?: WindowSize): [masterFd: number, slaveFd: number]
  /** `ioctl(fd, TIOCSWINSZ)`: a new size sends SIGWINCH to the terminal's foreground group. @see man 2 ioctl_tty */
  setWindowSize(fd: number, size: WindowSize): void
}
