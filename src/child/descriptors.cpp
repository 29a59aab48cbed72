// The child's descriptors.

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

bool IsKept(const Action& action, int fd) noexcept {
  for (int32_t i = 0; i < action.number; i++) {
    if (action.kept[i] == fd) return true;
  }
  return false;
}

struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

// For kernels before 5.9 and sandboxes that refuse close_range.
void CloseByProc(const Action& action) noexcept {
  const long directory = RawSyscall(SYS_openat, AT_FDCWD, Word("/proc/self/fd"), O_RDONLY | O_DIRECTORY);
  if (directory < 0) {
    rlimit limit{};
    RawSyscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, Word(&limit));
    for (rlim_t fd = 0; fd < limit.rlim_cur && fd < 0x7fffffff; fd++) {
      if (!IsKept(action, static_cast<int>(fd))) RawSyscall(SYS_close, static_cast<long>(fd));
    }
    return;
  }
  alignas(8) char entries[1024];
  long length;
  while ((length = RawSyscall(SYS_getdents64, directory, Word(entries), sizeof(entries))) > 0) {
    for (long at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      at += entry->length;
      if (entry->name[0] < '0' || entry->name[0] > '9') continue;
      int fd = 0;
      for (const char* digit = entry->name; *digit != '\0'; digit++) fd = fd * 10 + (*digit - '0');
      if (fd != directory && !IsKept(action, fd)) RawSyscall(SYS_close, fd);
    }
  }
  RawSyscall(SYS_close, directory);
}

}  // namespace

long Open(const Action& action) noexcept {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, Word(action.path), action.number, action.mode);
  if (fd < 0 || fd == action.target) return fd;
  const long moved = RawSyscall(SYS_dup3, fd, action.target, action.number & O_CLOEXEC);
  RawSyscall(SYS_close, fd);
  return moved;
}

long Dup2(int fd, int target) noexcept {
  if (fd != target) return RawSyscall(SYS_dup3, fd, target, 0);
  // dup2 onto itself does nothing and would leave close-on-exec set.
  return RawSyscall(SYS_fcntl, fd, F_SETFD, 0);
}

// The open file description is the parent's too: it stays blocking there as well.
long SetBlocking(int fd) noexcept {
  const long flags = RawSyscall(SYS_fcntl, fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) == 0) return flags;
  return RawSyscall(SYS_fcntl, fd, F_SETFL, flags & ~O_NONBLOCK);
}

// EINTR is a success: Linux has freed the number by then.
long Close(int fd) noexcept {
  const long result = RawSyscall(SYS_close, fd);
  return result == -EINTR ? 0 : result;
}

long CloseAllExcept(const Action& action) noexcept {
  unsigned first = 0;
  for (int32_t i = 0; i <= action.number; i++) {
    const bool kept = i < action.number;
    const unsigned next = kept ? static_cast<unsigned>(action.kept[i]) : ~0U;
    if (next > first && RawSyscall(SYS_close_range, first, kept ? next - 1 : next, 0) < 0) {
      CloseByProc(action);
      return 0;
    }
    first = next + 1;
  }
  return 0;
}

}  // namespace tracegate
