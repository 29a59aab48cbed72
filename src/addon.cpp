// The module: one set of functions and one Environment for each JavaScript environment that loads it.

#include "environment.h"
#include "native.h"

namespace tracegate {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  ExportDescriptors(env, exports);
  ExportMessages(env, exports);
  ExportPolling(env, exports);
  ExportFork(env, exports);
  ExportOwnEnvironment(env, exports);
  ExportProcesses(env, exports);
  ExportMemory(env, exports);
  ExportPtrace(env, exports);
  ExportLoopWatch(env, exports);
  ExportSignalForwarding(env, exports);
  ExportTerminals(env, exports);
  ExportNotifySocket(env, exports);
  ExportPidfd(env, exports);
  ExportProbes(env, exports);
  ExportForeground(env, exports);
  return exports;
}

}  // namespace tracegate

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return tracegate::Init(env, exports);
}

NODE_API_MODULE(tracegate, Init)
