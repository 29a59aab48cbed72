// The foreground process group of the terminal of this process's session.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "child/raw_syscall.h"
#include "native.h"

namespace tracegate {
namespace {

bool HasProcesses(pid_t group) {
  return kill(-group, 0) == 0 || errno != ESRCH;
}

// tcsetpgrp stops a background group, which this process's may be, with SIGTTOU unless that is blocked.
long SetForegroundGroup(int terminal, pid_t group) {
  KernelSignalSet before = 0;
  RawSignalMask(SIG_BLOCK, SignalBit(SIGTTOU), &before);
  const long result = ioctl(terminal, TIOCSPGRP, &group) < 0 ? -errno : 0;
  RawSignalMask(SIG_SETMASK, before);
  return result;
}

// If this process or a shell has given the terminal to another group meanwhile, that group keeps it.
long Reclaim(pid_t group) {
  const int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (terminal < 0) return -errno;
  pid_t now = 0;
  long result = ioctl(terminal, TIOCGPGRP, &now) < 0 ? -errno : 0;
  if (result == 0 && (now == group || now == 0 || !HasProcesses(now))) {
    result = SetForegroundGroup(terminal, getpgrp());
  }
  close(terminal);
  return result;
}

Napi::Value ReclaimTerminal(const Napi::CallbackInfo& info) {
  return AnswerRaw(info, Reclaim(IntArg(info, 0)));
}

}  // namespace

const Export kForegroundExports[] = {
    {"reclaimTerminal", Function<ReclaimTerminal>},
};

Exports ForegroundExports() {
  return All(kForegroundExports);
}

}  // namespace tracegate
