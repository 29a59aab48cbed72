// ptrace, one function a request. Raw calls: libc's wrapper hides results of PEEK requests and its request
// type differs on musl.

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "native.h"

namespace tracegate {
namespace {

// musl has no names for these.
constexpr long kPeekUser = 3;
constexpr long kPokeUser = 6;
constexpr long kPeekSigInfo = 0x4209;
constexpr long kGetSigMask = 0x420a;
constexpr long kSetSigMask = 0x420b;
constexpr long kGetSyscallInfo = 0x420e;

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

// getSigInfo(pid, bytes) and setSigInfo(pid, bytes): the 128 bytes of siginfo_t
template <long kRequest>
Napi::Value SigInfo(const Napi::CallbackInfo& info) {
  return Answer(info, Ptrace(kRequest, IntArg(info, 0), 0, reinterpret_cast<long>(BytesArg(info, 1).data)));
}

// peekSigInfo(pid, offset, flags, count, out): the number of signals; out: 128 bytes of siginfo_t for each
Napi::Value PeekSigInfo(const Napi::CallbackInfo& info) {
  // ptrace_peeksiginfo_args, for which glibc and musl have different names.
  struct {
    uint64_t offset;
    uint32_t flags;
    int32_t count;
  } asked{MaskArg(info, 1), MaskArg(info, 2), IntArg(info, 3)};
  return Answer(info, Ptrace(kPeekSigInfo, IntArg(info, 0), reinterpret_cast<long>(&asked),
                             reinterpret_cast<long>(BytesArg(info, 4).data)));
}

// getRegisterSet(pid, type, bytes) and setRegisterSet(pid, type, bytes): the bytes moved, at most those that
// the set has
template <long kRequest>
Napi::Value RegisterSet(const Napi::CallbackInfo& info) {
  const Bytes bytes = BytesArg(info, 2);
  iovec set{bytes.data, bytes.length};
  const long result =
      Ptrace(kRequest, IntArg(info, 0), static_cast<long>(MaskArg(info, 1)), reinterpret_cast<long>(&set));
  return Answer(info, result < 0 ? result : static_cast<long>(set.iov_len));
}

// peekUser(pid, offset, out): out: 8 bytes
Napi::Value PeekUser(const Napi::CallbackInfo& info) {
  return Answer(info, Ptrace(kPeekUser, IntArg(info, 0), IntArg(info, 1),
                             reinterpret_cast<long>(BytesArg(info, 2).data)));
}

// pokeUser(pid, offset, value: bigint)
Napi::Value PokeUser(const Napi::CallbackInfo& info) {
  bool lossless = true;
  const uint64_t value = info[2].As<Napi::BigInt>().Uint64Value(&lossless);
  return Answer(info, Ptrace(kPokeUser, IntArg(info, 0), IntArg(info, 1), static_cast<long>(value)));
}

// getSyscallInfo(pid, out): the bytes of ptrace_syscall_info that the kernel has filled or would fill
Napi::Value GetSyscallInfo(const Napi::CallbackInfo& info) {
  const Bytes out = BytesArg(info, 1);
  return Answer(info, Ptrace(kGetSyscallInfo, IntArg(info, 0), static_cast<long>(out.length),
                             reinterpret_cast<long>(out.data)));
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

const Export kPtraceExports[] = {
    {"ptraceCont", Function<WithNumber<PTRACE_CONT>>},
    {"ptraceStep", Function<WithNumber<PTRACE_SINGLESTEP>>},
    {"ptraceSyscall", Function<WithNumber<PTRACE_SYSCALL>>},
    {"ptraceDetach", Function<WithNumber<PTRACE_DETACH>>},
    {"ptraceSeize", Function<WithNumber<PTRACE_SEIZE>>},
    {"ptraceAttach", Function<WithNumber<PTRACE_ATTACH>>},
    {"ptraceInterrupt", Function<WithNumber<PTRACE_INTERRUPT>>},
    {"ptraceListen", Function<WithNumber<PTRACE_LISTEN>>},
    {"ptraceSetOptions", Function<WithNumber<PTRACE_SETOPTIONS>>},
    {"ptraceGetEventMessage", Function<GetEventMessage>},
    {"ptraceGetSigInfo", Function<SigInfo<PTRACE_GETSIGINFO>>},
    {"ptraceSetSigInfo", Function<SigInfo<PTRACE_SETSIGINFO>>},
    {"ptracePeekSigInfo", Function<PeekSigInfo>},
    {"ptraceGetRegisterSet", Function<RegisterSet<PTRACE_GETREGSET>>},
    {"ptraceSetRegisterSet", Function<RegisterSet<PTRACE_SETREGSET>>},
    {"ptracePeekUser", Function<PeekUser>},
    {"ptracePokeUser", Function<PokeUser>},
    {"ptraceGetSyscallInfo", Function<GetSyscallInfo>},
    {"ptraceGetSigMask", Function<GetSigMask>},
    {"ptraceSetSigMask", Function<SetSigMask>},
};

Exports PtraceExports() {
  return All(kPtraceExports);
}

}  // namespace tracegate
