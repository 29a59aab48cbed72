// What `tracegate doctor` tries on this machine, each leaving nothing behind.

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_slot.h"
#include "native.h"

namespace tracegate {
namespace {

// Starts a child in shared memory that exits at once: 0, or the errno with which clone refused it.
long TrySharedMemory() {
  const auto slot = ChildSlot::Map();
  if (!slot) return -ENOMEM;
  slot->program = {nullptr, 0, -1, getpid()};
  const long pid = slot->Start(CLONE_VM, -1);
  if (pid < 0) return pid;
  while (waitpid(static_cast<pid_t>(pid), nullptr, __WALL) < 0 && errno == EINTR) {
  }
  return 0;
}

long TryPidfd() {
#ifdef SYS_pidfd_open
  const long fd = syscall(SYS_pidfd_open, getpid(), 0);
  if (fd < 0) return -errno;
  close(static_cast<int>(fd));
  return 0;
#else
  return -ENOSYS;
#endif
}

Napi::Value SharedMemory(const Napi::CallbackInfo& info) {
  return AnswerRaw(info, TrySharedMemory());
}

Napi::Value Pidfd(const Napi::CallbackInfo& info) {
  return AnswerRaw(info, TryPidfd());
}

}  // namespace

const Export kProbesExports[] = {
    {"trySharedMemory", Function<SharedMemory>},
    {"tryPidfd", Function<Pidfd>},
};

Exports ProbesExports() {
  return All(kProbesExports);
}

}  // namespace tracegate
