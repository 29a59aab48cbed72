// Process descriptors, pidfd_open(2): each names its process for good, even when another process has its pid
// later.

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "above_standard.h"
#include "environment.h"
#include "native.h"

// The same numbers on every architecture; older headers lack them.
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace tracegate {
namespace {

// pidfdOpen(pid): the descriptor, close-on-exec and above the standard ones.
Napi::Value PidfdOpen(const Napi::CallbackInfo& info) {
  const int fd = AboveStandard(static_cast<int>(syscall(SYS_pidfd_open, IntArg(info, 0), 0)));
  if (fd >= 0) Environment::Of(info.Env()).Made(fd);
  return Answer(info, fd);
}

// struct pidfd_info of Linux 6.15, as far as the exit code; the kernel fills as much as the request's size
// says.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t pid, tgid, ppid;
  uint32_t ids[8];
  int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);

// pidfdExitStatus(fd): the raw wait status of a reaped process, or -errno; -ENODATA if the kernel does not
// report it.
Napi::Value PidfdExitStatus(const Napi::CallbackInfo& info) {
  constexpr uint64_t kExit = 1 << 3;
  PidfdInfo reported{};
  reported.mask = kExit;
  const long result = ioctl(IntArg(info, 0), _IOWR(0xFF, 11, PidfdInfo), &reported);
  if (result < 0) return AnswerRaw(info, -errno);
  return AnswerRaw(info, (reported.mask & kExit) != 0 ? reported.exit_code : -ENODATA);
}

// pidfdSendSignal(fd, signal, flags)
Napi::Value PidfdSendSignal(const Napi::CallbackInfo& info) {
  const long result =
      syscall(SYS_pidfd_send_signal, IntArg(info, 0), IntArg(info, 1), nullptr, MaskArg(info, 2));
  return Answer(info, result);
}

}  // namespace

const Export kPidfdExports[] = {
    {"pidfdExitStatus", Function<PidfdExitStatus>},
    {"pidfdOpen", Function<PidfdOpen>},
    {"pidfdSendSignal", Function<PidfdSendSignal>},
};

Exports PidfdExports() {
  return All(kPidfdExports);
}

}  // namespace tracegate
