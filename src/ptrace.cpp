// ptrace, one function a request. Raw calls: libc's wrapper hides results of PEEK requests and its request
// type differs on musl.

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "native.h"

namespace tracegate {
namespace {

// What musl does not name.
constexpr long kGetSigMask = 0x420a;
constexpr long kSetSigMask = 0x420b;

long Ptrace(long request, long pid, long address, long data) {
  return syscall(SYS_ptrace, request, pid, address, data);
}

// A request of the form (pid, data), data being a signal or an option mask.
template <long kRequest>
Napi::Value WithNumber(const Napi::CallbackInfo& info) {
  return Answer(info, Ptrace(kRequest, IntArg(info, 0), 0, static_cast<long>(MaskArg(info, 1))));
}

Napi::Value GetEventMessage(const Napi::CallbackInfo& info) {
  unsigned long message = 0;
  const long result = Ptrace(PTRACE_GETEVENTMSG, IntArg(info, 0), 0, reinterpret_cast<long>(&message));
  if (result == 0) DoublesArg(info, 1).data[0] = static_cast<double>(message);
  return Answer(info, result);
}

// getSigInfo(pid, out): out: the 128 bytes of siginfo_t
Napi::Value GetSigInfo(const Napi::CallbackInfo& info) {
  return Answer(
      info, Ptrace(PTRACE_GETSIGINFO, IntArg(info, 0), 0, reinterpret_cast<long>(BytesArg(info, 1).data)));
}

// getRegisters(pid, bytes) and setRegisters(pid, bytes): the bytes that the set has, fewer of a 32-bit tracee
template <long kRequest>
Napi::Value RegisterSet(const Napi::CallbackInfo& info) {
  const Bytes bytes = BytesArg(info, 1);
  iovec set{bytes.data, bytes.length};
  const long result = Ptrace(kRequest, IntArg(info, 0), NT_PRSTATUS, reinterpret_cast<long>(&set));
  return Answer(info, result < 0 ? result : static_cast<long>(set.iov_len));
}

// getSigMask(pid, out): the two halves of the 64-bit mask
Napi::Value GetSigMask(const Napi::CallbackInfo& info) {
  uint64_t mask = 0;
  const long result = Ptrace(kGetSigMask, IntArg(info, 0), sizeof(mask), reinterpret_cast<long>(&mask));
  if (result == 0) {
    int32_t* out = IntsArg(info, 1).data;
    out[0] = static_cast<int32_t>(mask);
    out[1] = static_cast<int32_t>(mask >> 32);
  }
  return Answer(info, result);
}

// setSigMask(pid, low, high): the two halves of the 64-bit mask
Napi::Value SetSigMask(const Napi::CallbackInfo& info) {
  const uint64_t mask = static_cast<uint64_t>(MaskArg(info, 2)) << 32 | MaskArg(info, 1);
  return Answer(info, Ptrace(kSetSigMask, IntArg(info, 0), sizeof(mask), reinterpret_cast<long>(&mask)));
}

}  // namespace

void ExportPtrace(Napi::Env env, Napi::Object exports) {
  exports.Set("ptraceCont", Napi::Function::New<WithNumber<PTRACE_CONT>>(env));
  exports.Set("ptraceStep", Napi::Function::New<WithNumber<PTRACE_SINGLESTEP>>(env));
  exports.Set("ptraceSyscall", Napi::Function::New<WithNumber<PTRACE_SYSCALL>>(env));
  exports.Set("ptraceDetach", Napi::Function::New<WithNumber<PTRACE_DETACH>>(env));
  exports.Set("ptraceSeize", Napi::Function::New<WithNumber<PTRACE_SEIZE>>(env));
  exports.Set("ptraceAttach", Napi::Function::New<WithNumber<PTRACE_ATTACH>>(env));
  exports.Set("ptraceInterrupt", Napi::Function::New<WithNumber<PTRACE_INTERRUPT>>(env));
  exports.Set("ptraceListen", Napi::Function::New<WithNumber<PTRACE_LISTEN>>(env));
  exports.Set("ptraceSetOptions", Napi::Function::New<WithNumber<PTRACE_SETOPTIONS>>(env));
  exports.Set("ptraceGetEventMessage", Napi::Function::New<GetEventMessage>(env));
  exports.Set("ptraceGetSigInfo", Napi::Function::New<GetSigInfo>(env));
  exports.Set("ptraceGetRegisters", Napi::Function::New<RegisterSet<PTRACE_GETREGSET>>(env));
  exports.Set("ptraceSetRegisters", Napi::Function::New<RegisterSet<PTRACE_SETREGSET>>(env));
  exports.Set("ptraceGetSigMask", Napi::Function::New<GetSigMask>(env));
  exports.Set("ptraceSetSigMask", Napi::Function::New<SetSigMask>(env));
}

}  // namespace tracegate
