// The child's session, process group and terminal.

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {

long ProcessGroup(int group) noexcept {
  return RawSyscall(SYS_setpgid, 0, group);
}

// Argument 0: a terminal is never stolen from another session.
long ControllingTerminal(int fd) noexcept {
  return RawSyscall(SYS_ioctl, fd, TIOCSCTTY, 0);
}

// A group in the background that sets the foreground group stops with SIGTTOU, unless that is blocked.
// /dev/tty is the controlling terminal, whichever descriptors the child has. O_NONBLOCK: no wait for a
// carrier.
long Foreground() noexcept {
  const long terminal =
      RawSyscall(SYS_openat, AT_FDCWD, Word("/dev/tty"), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (terminal < 0) return terminal;
  const int group = static_cast<int>(RawSyscall(SYS_getpgid, 0));
  KernelSignalSet before = 0;
  RawSignalMask(SIG_BLOCK, SignalBit(SIGTTOU), &before);
  const long result = RawSyscall(SYS_ioctl, terminal, TIOCSPGRP, Word(&group));
  RawSignalMask(SIG_SETMASK, before);
  RawSyscall(SYS_close, terminal);
  return result;
}

}  // namespace tracegate
