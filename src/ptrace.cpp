// ptrace, one function a request. Raw calls: libc's wrapper hides results of PEEK requests and its request
// type differs on musl.

#include <elf.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>

#include "native.h"

namespace tracegate {
namespace {

constexpr long kSetSigMask = 0x420b;  // PTRACE_SETSIGMASK, which musl does not name

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

// getRegisters(pid, bytes) and setRegisters(pid, bytes): the bytes moved
template <long kRequest>
Napi::Value RegisterSet(const Napi::CallbackInfo& info) {
  const Bytes bytes = BytesArg(info, 1);
  iovec set{bytes.data, bytes.length};
  const long result = Ptrace(kRequest, IntArg(info, 0), NT_PRSTATUS, reinterpret_cast<long>(&set));
  return Answer(info, result < 0 ? result : static_cast<long>(set.iov_len));
}

// setSigMask(pid, low, high): the two halves of the 64-bit mask
Napi::Value SetSigMask(const Napi::CallbackInfo& info) {
  const uint64_t mask = static_cast<uint64_t>(MaskArg(info, 2)) << 32 | MaskArg(info, 1);
  return Answer(info, Ptrace(kSetSigMask, IntArg(info, 0), sizeof(mask), reinterpret_cast<long>(&mask)));
}

uint64_t AddressArg(const Napi::CallbackInfo& info, size_t index) {
  bool lossless = true;
  return info[index].As<Napi::BigInt>().Uint64Value(&lossless);
}

// readMemory(pid, address, buffer): the bytes read
Napi::Value ReadMemory(const Napi::CallbackInfo& info) {
  const Bytes buffer = BytesArg(info, 2);
  const iovec local{buffer.data, buffer.length};
  const iovec remote{reinterpret_cast<void*>(AddressArg(info, 1)), buffer.length};
  const ssize_t bytes = process_vm_readv(IntArg(info, 0), &local, 1, &remote, 1, 0);
  // A range beyond all user memory is refused as an argument, where one that is merely unmapped is a fault.
  return AnswerRaw(info, bytes >= 0 ? bytes : errno == EINVAL ? -EFAULT : -errno);
}

// writeMemory(pid, address, data): the bytes written. Through /proc/PID/mem, which a tracer may use on
// read-only pages.
Napi::Value WriteMemory(const Napi::CallbackInfo& info) {
  const Bytes data = BytesArg(info, 2);
  char path[32];
  std::snprintf(path, sizeof(path), "/proc/%d/mem", IntArg(info, 0));
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return AnswerRaw(info, errno == ENOENT ? -ESRCH : -errno);
  const ssize_t written = pwrite(fd, data.data, data.length, static_cast<off_t>(AddressArg(info, 1)));
  // EIO: nothing is mapped there. EINVAL: an address that is negative as an offset, where nothing can be.
  const bool nothingThere = errno == EIO || errno == EINVAL;
  const long result = written < 0 ? (nothingThere ? -EFAULT : -errno) : written;
  close(fd);
  return AnswerRaw(info, result);
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
  exports.Set("ptraceSetSigMask", Napi::Function::New<SetSigMask>(env));
  exports.Set("readMemory", Napi::Function::New<ReadMemory>(env));
  exports.Set("writeMemory", Napi::Function::New<WriteMemory>(env));
}

}  // namespace tracegate
