// The child's side of a fork: runs a program by raw system calls and nothing else.
//
// It may be running in the parent's memory, beside the parent. So: no allocation, no libc call, no return,
// and no write to anything but its own stack and its own program. A test reads this object's undefined
// symbols and fails on a new one.

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <time.h>

#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

constexpr int kExitAborted = 126;  // the parent is gone, or never said go
constexpr int kExitFailed = 127;   // an action failed; the report says which

// Blocked until exec. On kernels before 5.16 a core dump ends every process that shares the memory, so the
// signals that dump core are blocked. SIGPIPE is, because a failed write has its errno.
constexpr KernelSignalSet kBlockedUntilExec =
    SignalBit(SIGQUIT) | SignalBit(SIGILL) | SignalBit(SIGABRT) | SignalBit(SIGBUS) | SignalBit(SIGFPE) |
    SignalBit(SIGSEGV) | SignalBit(SIGXCPU) | SignalBit(SIGXFSZ) | SignalBit(SIGSYS) | SignalBit(SIGPIPE);

[[noreturn]] void Exit(int code) noexcept {
  for (;;) RawSyscall(SYS_exit_group, code);
}

long WaitReady(int fd, short events) noexcept {
  pollfd request{fd, events, 0};
  return RawSyscall(SYS_ppoll, Word(&request), 1, 0, 0, sizeof(KernelSignalSet));
}

long WriteAll(int fd, const uint8_t* data, size_t bytes) noexcept {
  while (bytes > 0) {
    const long written = RawSyscall(SYS_write, fd, Word(data), static_cast<long>(bytes));
    if (written == -EAGAIN) {
      WaitReady(fd, POLLOUT);
    } else if (written != -EINTR) {
      if (written < 0) return written;
      data += written;
      bytes -= static_cast<size_t>(written);
    }
  }
  return 0;
}

// End of file: the process that should have let the child go is gone. Abort, never go.
long ReadAll(int fd, size_t bytes) noexcept {
  uint8_t discarded[256];
  while (bytes > 0) {
    const size_t wanted = bytes < sizeof(discarded) ? bytes : sizeof(discarded);
    const long got = RawSyscall(SYS_read, fd, Word(discarded), static_cast<long>(wanted));
    if (got == 0) Exit(kExitAborted);
    if (got == -EAGAIN) {
      WaitReady(fd, POLLIN);
    } else if (got != -EINTR) {
      if (got < 0) return got;
      bytes -= static_cast<size_t>(got);
    }
  }
  return 0;
}

[[noreturn]] void Fail(const Program& program, int32_t action, long error) noexcept {
  const int32_t record[2] = {action, static_cast<int32_t>(-error)};
  if (program.reportFd >= 0) {
    WriteAll(program.reportFd, reinterpret_cast<const uint8_t*>(record), sizeof(record));
  }
  Exit(kExitFailed);
}

// A handler of the parent's, run here, would run in the parent's memory. Ignored signals would stay ignored
// across exec (Node ignores SIGPIPE), so all go back to their defaults. Each is a system call on the way to
// the exec: those that can be neither handled nor ignored are passed over.
void ResetSignals(const Program& program) noexcept {
  const KernelSignalAction byDefault{SIG_DFL, 0, nullptr, 0};
  KernelSignalSet set = program.handlersAreCleared ? kStandardSignals | program.ignored : kAllSignals;
  set &= ~(SignalBit(SIGKILL) | SignalBit(SIGSTOP));
  for (; set != 0; set &= set - 1) {
    const int signal = __builtin_ctzl(set) + 1;
    RawSyscall(SYS_rt_sigaction, signal, Word(&byDefault), 0, sizeof(KernelSignalSet));
  }
  RawSignalMask(SIG_SETMASK, kBlockedUntilExec);
}

long Raise(int signal) noexcept {
  const bool valid = signal >= 1 && signal <= 64;
  const KernelSignalSet held = valid ? SignalBit(signal) & kBlockedUntilExec : 0;
  if (held != 0) RawSignalMask(SIG_UNBLOCK, held);
  // The child has one thread, whose id is the process's.
  const long self = RawSyscall(SYS_getpid);
  const long result = RawSyscall(SYS_tgkill, self, self, signal);
  if (held != 0) RawSignalMask(SIG_BLOCK, held);
  return result;
}

long ParentDeathSignal(const Program& program, int signal) noexcept {
  const long result = RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, signal);
  if (result < 0) return result;
  // The signal is for deaths from now on; a parent that died before this line sends none.
  if (signal != 0 && RawSyscall(SYS_getppid) != program.parent) Exit(kExitAborted);
  return 0;
}

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

// A file that another thread of the parent has just written may still be open for writing in one of its
// forks, which closes it at its exec at the latest: worth waiting for, for a bounded while (63 ms).
long ExecveOne(const char* file, const char* const* argv, const char* const* env) noexcept {
  timespec pause{0, 1000000};
  for (int attempt = 0;; attempt++) {
    const long error = RawSyscall(SYS_execve, Word(file), Word(argv), Word(env));
    if (error != -ETXTBSY || attempt == 6) return error;
    RawSyscall(SYS_nanosleep, Word(&pause), 0);
    pause.tv_nsec *= 2;
  }
}

// As execvp does it, a file that the kernel cannot run is a script for the shell: its name takes argv[0]'s
// place, and the shell's stands before it.
long ExecveScript(const char* file, const Action& action) noexcept {
  const char* const argv0 = action.script[1];
  action.script[1] = file;
  const long error = RawSyscall(SYS_execve, Word(kShell), Word(action.script), Word(action.env));
  action.script[1] = argv0;
  return error;
}

// The errnos that say that a candidate is not there, on which execvp goes on with the next.
bool IsAbsence(long error) noexcept {
  return error == -ENOENT || error == -ENOTDIR || error == -ESTALE || error == -ENODEV || error == -ETIMEDOUT;
}

// The candidates of a PATH in turn, as execvp does. The error to report is one that says more than 'not
// there', else ENOENT where that was said, else the last.
long Execve(const Action& action, KernelSignalSet mask) noexcept {
  RawSignalMask(SIG_SETMASK, mask);
  long refused = 0;
  long absent = 0;
  for (const char* const* file = action.files; *file != nullptr; file++) {
    long error = ExecveOne(*file, action.script + 1, action.env);
    if (error == -ENOEXEC) error = ExecveScript(*file, action);
    if (IsAbsence(error)) {
      if (absent != -ENOENT) absent = error;
    } else if (error == -EACCES) {
      if (refused == 0) refused = error;
    } else {
      refused = error;
      break;
    }
  }
  RawSignalMask(SIG_SETMASK, kBlockedUntilExec);
  if (refused != 0) return refused;
  return absent != 0 ? absent : -ENOENT;
}

long IgnoreSignals(KernelSignalSet set) noexcept {
  const KernelSignalAction ignore{SIG_IGN, 0, nullptr, 0};
  for (; set != 0; set &= set - 1) {
    const int signal = __builtin_ctzl(set) + 1;
    const long result = RawSyscall(SYS_rt_sigaction, signal, Word(&ignore), 0, sizeof(KernelSignalSet));
    if (result < 0) return result;
  }
  return 0;
}

// `maskAtExec` is what the program will start with.
long Perform(const Program& program, const Action& action, KernelSignalSet& maskAtExec) noexcept {
  switch (action.op) {
    case Op::kTraceme:
      return RawSyscall(SYS_ptrace, PTRACE_TRACEME);
    case Op::kWrite:
      return WriteAll(action.fd, action.data, action.bytes);
    case Op::kRead:
      return ReadAll(action.fd, action.bytes);
    case Op::kOpen:
      return Open(action);
    case Op::kDup2:
      return Dup2(action.fd, action.target);
    case Op::kSetBlocking:
      return SetBlocking(action.fd);
    case Op::kClose:
      return Close(action.fd);
    case Op::kCloseAllExcept:
      return CloseAllExcept(action);
    case Op::kChdir:
      return RawSyscall(SYS_chdir, Word(action.path));
    case Op::kSetsid:
      return RawSyscall(SYS_setsid);
    case Op::kParentDeathSignal:
      return ParentDeathSignal(program, action.number);
    case Op::kRaise:
      return Raise(action.number);
    case Op::kExit:
      Exit(action.number);
    case Op::kExecve:
      return Execve(action, maskAtExec);
    case Op::kIgnoreSignals:
      return IgnoreSignals(action.signals);
    case Op::kSignalMask:
      maskAtExec = action.signals;
      return 0;
  }
  return -ENOSYS;
}

}  // namespace

void RunChildProgram(const Program& program) noexcept {
  ResetSignals(program);
  KernelSignalSet maskAtExec = 0;
  for (int32_t i = 0; i < program.actionCount; i++) {
    const long result = Perform(program, program.actions[i], maskAtExec);
    if (result < 0) Fail(program, i, result);
  }
  Exit(0);
}

}  // namespace tracegate
