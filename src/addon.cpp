// The module: one Environment for each JavaScript environment that loads it, and a function that makes what
// it exports.

#include <cstring>

#include "environment.h"
#include "native.h"

namespace tracegate {
namespace {

constexpr size_t kLongestName = 32;

// make(name): undefined for a name that the addon does not export.
Napi::Value Make(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  char name[kLongestName + 1] = "";
  napi_get_value_string_utf8(env, info[0], name, sizeof name, nullptr);
  const Exports all[] = {
      DescriptorsExports(),    MessagesExports(),         PollingExports(),    ForkExports(),
      OwnEnvironmentExports(), ProcessesExports(),        MemoryExports(),     PtraceExports(),
      LoopWatchExports(),      SignalForwardingExports(), TerminalsExports(),  NotifySocketExports(),
      PidfdExports(),          ProbesExports(),           ForegroundExports(),
  };
  for (const Exports& exports : all) {
    for (size_t i = 0; i < exports.count; i++) {
      if (std::strcmp(exports.first[i].name, name) == 0) return exports.first[i].make(env);
    }
  }
  return env.Undefined();
}

}  // namespace

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  exports.Set("make", Napi::Function::New<Make>(env));
  return exports;
}

}  // namespace tracegate

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return tracegate::Init(env, exports);
}

NODE_API_MODULE(tracegate, Init)
