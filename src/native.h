// What every file of the native layer shares: reading arguments and returning results.
//
// Types and ranges were checked in TypeScript. A call answers with its result, or with -errno; TypeScript
// makes the error.

#pragma once

#define NODE_ADDON_API_DISABLE_DEPRECATED
#include <errno.h>
#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace tracegate {

struct Bytes {
  uint8_t* data;
  size_t length;
};

inline int32_t IntArg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Int32Value();
}

inline uint32_t MaskArg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Uint32Value();
}

inline Bytes BytesArg(const Napi::CallbackInfo& info, size_t index) {
  auto array = info[index].As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

template <typename T>
struct Numbers {
  T* data;
  size_t length;
};

inline Numbers<int32_t> IntsArg(const Napi::CallbackInfo& info, size_t index) {
  auto array = info[index].As<Napi::Int32Array>();
  return {array.Data(), array.ElementLength()};
}

inline Numbers<double> DoublesArg(const Napi::CallbackInfo& info, size_t index) {
  auto array = info[index].As<Napi::Float64Array>();
  return {array.Data(), array.ElementLength()};
}

// A libc result: itself, or -errno.
inline Napi::Value Answer(const Napi::CallbackInfo& info, long result) {
  return Napi::Number::New(info.Env(), static_cast<double>(result < 0 ? -errno : result));
}

// A result that is already -errno if the call failed.
inline Napi::Value AnswerRaw(const Napi::CallbackInfo& info, long result) {
  return Napi::Number::New(info.Env(), static_cast<double>(result));
}

// What the addon exports under a name. It is made when JavaScript first asks for it
// (lib/native/made-at-first-use.ts): to make all functions takes as long as a launch.
struct Export {
  const char* name;
  Napi::Value (*make)(Napi::Env env);
};

struct Exports {
  const Export* first;
  size_t count;
};

template <size_t kCount>
constexpr Exports All(const Export (&list)[kCount]) {
  return {list, kCount};
}

template <auto kCall>
Napi::Value Function(Napi::Env env) {
  return Napi::Function::New<kCall>(env);
}

Exports DescriptorsExports();
Exports MessagesExports();
Exports PollingExports();
Exports ForkExports();
Exports OwnEnvironmentExports();
Exports ProcessesExports();
Exports MemoryExports();
Exports PtraceExports();
Exports LoopWatchExports();
Exports SignalForwardingExports();
Exports TerminalsExports();
Exports NotifySocketExports();
Exports PidfdExports();
Exports ProbesExports();
Exports ForegroundExports();

}  // namespace tracegate
