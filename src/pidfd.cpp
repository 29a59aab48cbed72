// Process descriptors, pidfd_open(2): a process that they name stays that process, whoever gets its pid
// later.

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

// pidfdSendSignal(fd, signal, flags)
Napi::Value PidfdSendSignal(const Napi::CallbackInfo& info) {
  const long result =
      syscall(SYS_pidfd_send_signal, IntArg(info, 0), IntArg(info, 1), nullptr, MaskArg(info, 2));
  return Answer(info, result);
}

}  // namespace

void ExportPidfd(Napi::Env env, Napi::Object exports) {
  exports.Set("pidfdOpen", Napi::Function::New<PidfdOpen>(env));
  exports.Set("pidfdSendSignal", Napi::Function::New<PidfdSendSignal>(env));
}

}  // namespace tracegate
