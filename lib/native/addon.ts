/** The addon's exports (src/). Each call returns its result or a negative errno. Its arguments are already checked. */

export interface Addon {
  pipe2(flags: number, out: Int32Array): number
  socketpair(domain: number, type: number, protocol: number, out: Int32Array): number
  read(fd: number, buffer: Uint8Array): number
  write(fd: number, data: Uint8Array): number
  close(fd: number): number
  dup(fd: number): number
  dup3(fd: number, target: number, flags: number): number
  fcntl(fd: number, command: number, argument: number): number
  bytesReadable(fd: number): number
  getsockopt(fd: number, level: number, option: number, out: Int32Array): number
  setsockopt(fd: number, level: number, option: number, value: number): number
  peerUser(fd: number): number
  shutdown(fd: number, how: number): number

  /** out: master, slave. */
  openpty(rows: number, columns: number, out: Int32Array): number
  setWindowSize(fd: number, rows: number, columns: number): number
  /** The foreground process group of a terminal, given its master; 0 if it has none. */
  foregroundGroup(fd: number): number

  send(fd: number, data: Uint8Array, flags: number): number
  recv(fd: number, buffer: Uint8Array, flags: number): number
  sendmsg(fd: number, data: Uint8Array, fds: Int32Array, flags: number): number
  /** out: msg_flags, the number of descriptors received, the descriptors. */
  recvmsg(fd: number, buffer: Uint8Array, maxFds: number, flags: number, out: Int32Array): number

  /** pairs: fd, events, fd, events …; revents replace the events. */
  poll(pairs: Int32Array, timeoutMs: number): number
  epollCreate1(flags: number): number
  epollCtl(epfd: number, op: number, fd: number, hasEvent: boolean, events: number, data: number): number
  /** out: events, data, events, data … */
  epollWait(epfd: number, maxEvents: number, timeoutMs: number, out: Float64Array): number

  /**
   * A program as encodeProgram flattens it. cloneFlags: CLONE_NEW*. With keepsRecord, a failed child leaves its record
   * for takeReport, and the call fails if the kernel refuses to share the memory.
   */
  fork(
    words: Int32Array,
    bytes: Uint8Array,
    reportFd: number,
    shared: boolean,
    cloneFlags: number,
    keepsRecord: boolean,
  ): number
  /** 1 if a child of that pid has left a failure record, else 0. out: its action, its errno. */
  takeReport(pid: number, out: Int32Array): number
  /** out: raw status, utime and stime in microseconds, maxrss, minflt, majflt, inblock, oublock, nvcsw, nivcsw. */
  waitpid(pid: number, options: number, out: Float64Array): number
  /** The pid, 0 or -errno. out: si_code, si_status. */
  waitid(idType: number, id: number, options: number, out: Int32Array): number
  /** 0, -errno, or a stop: si_status, and above its 16 bits the event's message plus one, or 0. */
  takeStop(tid: number, options: number): number
  /** 0, -errno, a stop's si_status, or 1 << 16 for the child's own SIGSTOP, which it has answered. */
  takeLaunchStop(pid: number, ownStopOptions: number): number
  /**
   * Byte 0: whether descriptors opened from now on are owned; byte fd + 1: whether fd is. The addon closes the owned
   * ones when the environment ends.
   */
  shareOwnership(marks: Uint8Array): void
  /** Whether the C library's environment is these strings, each terminated by a NUL, in this order. */
  isEnvironment(entries: Uint8Array): boolean
  kill(pid: number, signal: number): number
  tgkill(pid: number, tid: number, signal: number): number
  /** A datagram socket, bound to this abstract name. */
  openNotifySocket(name: Uint8Array): number
  /** out: the pid and uid of the sender. */
  receiveNotification(fd: number, buffer: Uint8Array, out: Int32Array): number
  /** The descriptor, close-on-exec. */
  pidfdOpen(pid: number): number
  /** The raw wait status of a reaped process, or a negative errno. */
  pidfdExitStatus(fd: number): number
  pidfdSendSignal(fd: number, signal: number, flags: number): number
  /** The signal is the siginfo's own. */
  tgsigqueueinfo(pid: number, tid: number, siginfo: Uint8Array): number
  /**
   * For an unreaped child that ends unless it execs: 1 if it has exec'ed since its fork, else 0. -EPERM for a child in
   * another session.
   */
  hasExeced(pid: number): number

  /** tcsetpgrp of this process's group, if `group` or a group without processes has the terminal. */
  reclaimTerminal(group: number): number

  ptraceCont(pid: number, signal: number): number
  ptraceStep(pid: number, signal: number): number
  ptraceSyscall(pid: number, signal: number): number
  ptraceDetach(pid: number, signal: number): number
  ptraceSeize(pid: number, options: number): number
  ptraceAttach(pid: number, unused: number): number
  ptraceInterrupt(pid: number, unused: number): number
  ptraceListen(pid: number, unused: number): number
  ptraceSetOptions(pid: number, options: number): number
  ptraceGetEventMessage(pid: number, out: Float64Array): number
  ptraceGetSigInfo(pid: number, out: Uint8Array): number
  ptraceSetSigInfo(pid: number, bytes: Uint8Array): number
  /** Returns the number of signals; out has room for `count` siginfo_t. */
  ptracePeekSigInfo(pid: number, offset: number, flags: number, count: number, out: Uint8Array): number
  /** Returns the number of bytes moved: those of the set, or as many as there is room for. */
  ptraceGetRegisterSet(pid: number, type: number, out: Uint8Array): number
  ptraceSetRegisterSet(pid: number, type: number, bytes: Uint8Array): number
  /** out: 8 bytes. */
  ptracePeekUser(pid: number, offset: number, out: Uint8Array): number
  ptracePokeUser(pid: number, offset: number, value: bigint): number
  /** out: ptrace_syscall_info, cut to the room there is. */
  ptraceGetSyscallInfo(pid: number, out: Uint8Array): number
  /** out: the two halves of the 64-bit mask. */
  ptraceGetSigMask(pid: number, out: Int32Array): number
  ptraceSetSigMask(pid: number, low: number, high: number): number
  readMemory(pid: number, address: bigint, buffer: Uint8Array): number
  writeMemory(pid: number, address: bigint, data: Uint8Array): number

  /** Sets the event loop's callbacks. Each event fills three words of `ready`: fd, token, revents. */
  setListeners(onReady: (count: number) => void, onChildChange: () => void, ready: Int32Array): void
  /** A one-shot epoll_ctl on the environment's own epoll. */
  arm(operation: number, fd: number, events: number, token: number): number
  keepAlive(readiness: boolean, children: boolean): void
  watchChildren(on: boolean): number
  /** Has onChildChange called once more in this turn, after the microtasks of its call; false where it is not. */
  lookAgain(): boolean
  readonly readyWords: number

  /**
   * Only for the command. From now on each of these signals becomes a record on `fd`, and has no other effect.
   * `threads`: all threads of this process.
   */
  takeSignals(signals: Int32Array, fd: number, threads: Int32Array): number
  releaseSignals(): void
  /** Carries out the signal's default action. A stop returns after SIGCONT. */
  actByDefault(signal: number): number
  queueSignal(pid: number, signal: number, valueLow: number, valueHigh: number): number

  /** Forks a child in shared memory that exits at once: 0, or the errno of clone. */
  trySharedMemory(): number
  /** pidfd_open of this process: 0 or its errno. */
  tryPidfd(): number
}
