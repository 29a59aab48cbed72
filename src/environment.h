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

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // When this environment ends, closes each descriptor whose byte is not 0 then.
  void CloseAtEnd(Napi::Uint8Array marks);

  void Forked(pid_t pid);
  void Reaped(pid_t pid);

  // The real-time signals that were ignored when this environment began. Node leaves them as it finds them,
  // and JavaScript cannot ignore any.
  const KernelSignalSet ignoredRealTimeSignals;
  ChildSlots slots;
  LoopWatch* const loop;  // frees itself once the loop, where there is one, has closed its handles

 private:
  void CloseMarked();

  std::vector<pid_t> children_;  // forked here and not yet reaped here
  Napi::Reference<Napi::Uint8Array> marks_;
  Bytes marked_{nullptr, 0};
};

}  // namespace tracegate
