// What the child may use: limits, priority, CPUs, memory layout, cgroup.

#include <errno.h>
#include <fcntl.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

// One write: the kernel takes each as a whole setting.
long WriteFile(const char* path, const char* text, size_t bytes) noexcept {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, Word(path), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const long written = RawSyscall(SYS_write, fd, Word(text), static_cast<long>(bytes));
  RawSyscall(SYS_close, fd);
  return written;
}

}  // namespace

long Umask(int mask) noexcept {
  return RawSyscall(SYS_umask, mask);
}

long Rlimits(const Action& action) noexcept {
  return RawSyscall(SYS_prlimit64, 0, action.number, Word(&action.limit), 0);
}

long Nice(int nice) noexcept {
  return RawSyscall(SYS_setpriority, PRIO_PROCESS, 0, nice);
}

// The score belongs to the memory: in shared memory this would set the parent's as well.
long OomScoreAdj(const Action& action) noexcept {
  return WriteFile("/proc/self/oom_score_adj", action.text, action.bytes);
}

long Affinity(const Action& action) noexcept {
  return RawSyscall(SYS_sched_setaffinity, 0, static_cast<long>(action.bytes), Word(action.data));
}

long Aslr(bool on) noexcept {
  const long now = RawSyscall(SYS_personality, 0xffffffff);
  if (now < 0) return now;
  const long wanted = on ? now & ~ADDR_NO_RANDOMIZE : now | ADDR_NO_RANDOMIZE;
  return wanted == now ? 0 : RawSyscall(SYS_personality, wanted);
}

// 0: the process that writes.
long JoinCgroup(const Program& program, const Action& action) noexcept {
  return program.isInCgroup ? 0 : WriteFile(action.text, "0", 1);
}

}  // namespace tracegate
