// What belongs to one JavaScript environment (the main thread, a worker): its child slots, its children, its
// loop watch.

#pragma once

#include <sys/types.h>

#include <vector>

#include "child_slot.h"
#include "loop_watch.h"
#include "native.h"

namespace tracegate {

class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Whether this process has no other environment.
  static bool IsOnly();
  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // Descriptors to close when this environment ends (lib/native/thread-ownership.ts). Byte 0: whether those
  // opened from now on are; byte fd + 1: whether fd is. The calls that open and close descriptors set and
  // clear the bytes, because JavaScript may be terminated between any two calls.
  void ShareOwnership(Napi::Uint8Array marks);
  void Made(int fd) {
    if (marked_.length > 0 && marked_.data[0] != 0) Mark(fd, 1);
  }
  void Closing(int fd) { Mark(fd, 0); }

  void Forked(pid_t pid);
  void Reaped(pid_t pid);

  const pid_t pid;  // of this process
  // The real-time signals that were ignored when this environment began. Node leaves them as it finds them,
  // and JavaScript cannot ignore any.
  const KernelSignalSet ignoredRealTimeSignals;
  ChildSlots slots;
  LoopWatch* const loop;  // frees itself once the loop, if there is one, has closed its handles

 private:
  void Mark(int fd, uint8_t isOwned) {
    if (fd >= 0 && static_cast<size_t>(fd) + 1 < marked_.length) marked_.data[fd + 1] = isOwned;
  }
  void CloseOwned();

  std::vector<pid_t> children_;  // forked here and not yet reaped here
  Napi::Reference<Napi::Uint8Array> marks_;
  Bytes marked_{nullptr, 0};
};

}  // namespace tracegate
