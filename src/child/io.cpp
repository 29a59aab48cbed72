// Reads and writes of the child, to their end.

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

long WaitReady(int fd, short events) noexcept {
  pollfd request{fd, events, 0};
  return RawSyscall(SYS_ppoll, Word(&request), 1, 0, 0, sizeof(KernelSignalSet));
}

}  // namespace

void Exit(int code) noexcept {
  for (;;) RawSyscall(SYS_exit_group, code);
}

long WriteAll(int fd, const uint8_t* data, size_t bytes) noexcept {
  while (bytes > 0) {
    const long written = RawSyscall(SYS_write, fd, Word(data), static_cast<long>(bytes));
    if (written == -EAGAIN) {
      WaitReady(fd, POLLOUT);
    } else if (written != -EINTR) {
      if (written < 0) return written;
      data += written;
      bytes -= static_cast<size_t>(written);
    }
  }
  return 0;
}

// End of file: the process that should open the gate is gone. The child must never go on by itself.
long ReadAll(int fd, size_t bytes) noexcept {
  uint8_t discarded[256];
  while (bytes > 0) {
    const size_t wanted = bytes < sizeof(discarded) ? bytes : sizeof(discarded);
    const long got = RawSyscall(SYS_read, fd, Word(discarded), static_cast<long>(wanted));
    if (got == 0) Exit(kExitAborted);
    if (got == -EAGAIN) {
      WaitReady(fd, POLLIN);
    } else if (got != -EINTR) {
      if (got < 0) return got;
      bytes -= static_cast<size_t>(got);
    }
  }
  return 0;
}

// Whether a poll would return at once: an end, or an error, counts.
bool IsReadyNow(int fd) noexcept {
  pollfd request{fd, POLLIN, 0};
  const timespec now{0, 0};
  return RawSyscall(SYS_ppoll, Word(&request), 1, Word(&now), 0, sizeof(KernelSignalSet)) > 0;
}

}  // namespace tracegate
