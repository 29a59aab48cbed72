// A child program in native memory: what the interpreter walks between fork and exec.

#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "raw_syscall.h"

namespace tracegate {

// The numbers are those of lib/native/encode-program.ts.
enum class Op : int32_t {
  kTraceme = 0,
  kWrite = 1,
  kRead = 2,
  kOpen = 3,
  kDup2 = 4,
  kClose = 5,
  kCloseAllExcept = 6,
  kChdir = 7,
  kSetsid = 8,
  kParentDeathSignal = 9,
  kRaise = 10,
  kExit = 11,
  kExecve = 12,
  kSetBlocking = 13,
  kIgnoreSignals = 14,
  kSignalMask = 15,
  kProcessGroup = 16,
  kControllingTerminal = 17,
  kForeground = 18,
  kCgroup = 19,
  kUmask = 20,
  kRlimits = 21,
  kNice = 22,
  kOomScoreAdj = 23,
  kAffinity = 24,
  kAslr = 25,
  kNamespaces = 26,
  kChroot = 27,
  kGroups = 28,
  kGid = 29,
  kUid = 30,
  kTracer = 31,
  kNoNewPrivileges = 32,
  kSeccomp = 33,
};

// The kernel's struct rlimit64.
struct KernelLimit {
  uint64_t soft;
  uint64_t hard;
};

// One action; which members count is up to `op`.
struct Action {
  Op op;
  int32_t fd;                // write, read, dup2, close, setBlocking, controllingTerminal; a pidfd or -1
  int32_t target;            // dup2, open
  int32_t number;            // a signal, an exit code, flags, an id, the length of `kept`
  int32_t mode;              // open; groups: whether EPERM is ignored
  size_t bytes;              // write, read, affinity, seccomp, oomScoreAdj
  const char* path;          // open, chdir, chroot, cgroup
  const char* text;          // oomScoreAdj; cgroup: its file of processes
  const uint8_t* data;       // write, affinity, seccomp
  const int32_t* kept;       // closeAllExcept: ascending; groups
  KernelLimit limit;         // rlimits
  KernelSignalSet signals;   // ignoreSignals, signalMask
  const char* const* files;  // execve: null-terminated, as are the next two
  const char** script;       // kShell, then argv: the child's own to write, as its argv of a script
  const char* const* env;
};

// What runs a script without #!, as execvp(3) has it.
constexpr const char* kShell = "/bin/sh";

// What a child whose action failed leaves in the memory that it shares with its parent.
struct FailureRecord {
  int32_t action = 0;
  std::atomic<int32_t> error{0};  // its errno, written last; 0: no record
};

struct Program {
  const Action* actions;
  int32_t actionCount;
  int32_t reportFd;  // -1: none
  pid_t parent;      // by getppid, 0 in a pid namespace; the child ends if it has another one
  KernelSignalSet ignored = kAllSignals;  // besides the standard signals, those that may be ignored
  bool handlersAreCleared = false;        // the kernel has left none of our handlers
  bool isInCgroup = false;                // the kernel has put it there at its birth
  FailureRecord* record = nullptr;        // beside reportFd; null: none
};

// The entry of a forked child. Runs the program on the stack it was given and never returns.
[[noreturn]] void RunChildProgram(const Program& program) noexcept;

}  // namespace tracegate
