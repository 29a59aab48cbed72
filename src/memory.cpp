// The memory of another process.
//
// There are three ways, each for what the one before it does not reach. process_vm_readv and
// process_vm_writev take one call, but reach only what the process itself may read or write. /proc/PID/mem
// also reaches PROT_NONE and read-only pages. Without /proc, PTRACE_PEEKDATA and PTRACE_POKEDATA reach those,
// a word at a time, while the tracee is stopped.

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "native.h"

namespace tracegate {
namespace {

enum class Access { kRead, kWrite };

// A part of another process's memory, and the bytes here that it is read into or written from.
struct Range {
  pid_t pid;
  uint64_t address;
  Bytes here;

  Range From(size_t done) const { return {pid, address + done, {here.data + done, here.length - done}}; }
};

// Each way returns the bytes moved, fewer if it does not reach them all, or -errno if it moved none.

template <Access kAccess>
long ByProcessVm(const Range& range) {
  const iovec here{range.here.data, range.here.length};
  const iovec there{reinterpret_cast<void*>(range.address), range.here.length};
  const ssize_t moved = kAccess == Access::kRead ? process_vm_readv(range.pid, &here, 1, &there, 1, 0)
                                                 : process_vm_writev(range.pid, &here, 1, &there, 1, 0);
  if (moved >= 0) return moved;
  // EINVAL: the range is beyond all user memory. To callers that is a fault, like any unmapped range.
  return errno == EINVAL ? -EFAULT : -errno;
}

// Whether /proc numbers processes as this process does. After unshare(CLONE_NEWPID), or in a container that
// kept its host's /proc, the same number there is another process.
bool HasOwnProc() {
  char self[16];
  const ssize_t length = readlink("/proc/self", self, sizeof(self) - 1);
  if (length <= 0) return false;
  self[length] = '\0';
  return std::strtol(self, nullptr, 10) == getpid();
}

template <Access kAccess>
long ByProc(const Range& range) {
  if (!HasOwnProc()) return 0;
  char path[32];
  std::snprintf(path, sizeof(path), "/proc/%d/mem", range.pid);
  const int fd = open(path, (kAccess == Access::kRead ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
  if (fd < 0) return 0;
  size_t done = 0;
  long error = 0;
  // In a loop: one call moves at most 2 GiB, and ends early if a signal is pending.
  while (done < range.here.length) {
    const Range rest = range.From(done);
    const auto offset = static_cast<off_t>(rest.address);
    const ssize_t moved = kAccess == Access::kRead ? pread(fd, rest.here.data, rest.here.length, offset)
                                                   : pwrite(fd, rest.here.data, rest.here.length, offset);
    if (moved <= 0) {
      // EIO: nothing is mapped there. EINVAL: the address is negative as an offset, so nothing can be mapped
      // there.
      if (moved < 0) error = errno == EIO || errno == EINVAL ? -EFAULT : -errno;
      break;
    }
    done += static_cast<size_t>(moved);
  }
  close(fd);
  return done > 0 ? static_cast<long>(done) : error;
}

long Ptrace(long request, const Range& range, void* word) {
  return syscall(SYS_ptrace, request, range.pid, range.address, word);
}

template <Access kAccess>
long ByPtrace(const Range& range) {
  size_t done = 0;
  while (done < range.here.length) {
    const Range rest = range.From(done);
    // Aligned words only: a word that crosses the end of a page would need the next page, too.
    constexpr size_t kWord = sizeof(long);
    const size_t before = rest.address % kWord;
    const Range aligned{rest.pid, rest.address - before, rest.here};
    const size_t count = std::min(kWord - before, rest.here.length);
    long word = 0;
    if (Ptrace(PTRACE_PEEKDATA, aligned, &word) < 0) break;
    char* part = reinterpret_cast<char*>(&word) + before;
    if (kAccess == Access::kRead) {
      std::memcpy(rest.here.data, part, count);
    } else {
      std::memcpy(part, rest.here.data, count);
      if (Ptrace(PTRACE_POKEDATA, aligned, reinterpret_cast<void*>(word)) < 0) break;
    }
    done += count;
  }
  return static_cast<long>(done);
}

template <Access kAccess>
long Move(const Range& range) {
  long error = 0;
  size_t done = 0;
  for (const auto way : {ByProcessVm<kAccess>, ByProc<kAccess>, ByPtrace<kAccess>}) {
    const long moved = way(range.From(done));
    if (moved > 0) done += static_cast<size_t>(moved);
    if (done == range.here.length) break;
    // Of several errors the first says the most, unless it comes from a seccomp filter: that says nothing
    // about the address.
    if (moved < 0 && (error == 0 || moved == -EFAULT)) error = moved;
    if (moved == -ESRCH) break;
  }
  return done > 0 || error == 0 ? static_cast<long>(done) : error;
}

// readMemory(pid, address, buffer) and writeMemory(pid, address, data): the bytes moved
template <Access kAccess>
Napi::Value MoveMemory(const Napi::CallbackInfo& info) {
  bool lossless = true;
  const uint64_t address = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
  return AnswerRaw(info, Move<kAccess>({IntArg(info, 0), address, BytesArg(info, 2)}));
}

}  // namespace

const Export kMemoryExports[] = {
    {"readMemory", Function<MoveMemory<Access::kRead>>},
    {"writeMemory", Function<MoveMemory<Access::kWrite>>},
};

Exports MemoryExports() {
  return All(kMemoryExports);
}

}  // namespace tracegate
