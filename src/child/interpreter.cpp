// The child's side of a fork: runs a program by raw system calls and nothing else.
//
// It may be running in the parent's memory, beside the parent: see actions.h. A test reads the undefined
// symbols of these objects and fails on a new one.

#include <errno.h>
#include <sys/ptrace.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

[[noreturn]] void Fail(const Program& program, int32_t action, long error) noexcept {
  const int32_t record[2] = {action, static_cast<int32_t>(-error)};
  if (program.record != nullptr) {
    program.record->action = record[0];
    program.record->error.store(record[1], std::memory_order_release);
  }
  if (program.reportFd >= 0) {
    WriteAll(program.reportFd, reinterpret_cast<const uint8_t*>(record), sizeof(record));
  }
  Exit(kExitFailed);
}

long Perform(const Program& program, const Action& action, MaskAtExec& mask) noexcept {
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
      return ParentDeathSignal(program, action);
    case Op::kRaise:
      return Raise(action.number);
    case Op::kExit:
      Exit(action.number);
    case Op::kExecve:
      return Execve(action, mask);
    case Op::kIgnoreSignals:
      return IgnoreSignals(action.signals);
    case Op::kSignalMask:
      mask.signals = action.signals;
      return 0;
    case Op::kProcessGroup:
      return ProcessGroup(action.number);
    case Op::kControllingTerminal:
      return ControllingTerminal(action.fd);
    case Op::kForeground:
      return Foreground();
    case Op::kCgroup:
      return JoinCgroup(program, action);
    case Op::kUmask:
      return Umask(action.number);
    case Op::kRlimits:
      return Rlimits(action);
    case Op::kNice:
      return Nice(action.number);
    case Op::kOomScoreAdj:
      return OomScoreAdj(action);
    case Op::kAffinity:
      return Affinity(action);
    case Op::kAslr:
      return Aslr(action.number != 0);
    case Op::kNamespaces:
      return Unshare(action.number);
    case Op::kChroot:
      return Chroot(action.path);
    case Op::kGroups:
      return Groups(action);
    case Op::kGid:
      return Gid(action.number);
    case Op::kUid:
      return Uid(action.number);
    case Op::kTracer:
      return Tracer(action.number);
    case Op::kNoNewPrivileges:
      return NoNewPrivileges();
    case Op::kSeccomp:
      return Seccomp(action, mask);
  }
  return -ENOSYS;
}

}  // namespace

void RunChildProgram(const Program& program) noexcept {
  ResetSignals(program);
  MaskAtExec mask;
  for (int32_t i = 0; i < program.actionCount; i++) {
    const long result = Perform(program, program.actions[i], mask);
    if (result < 0) Fail(program, i, result);
  }
  Exit(0);
}

}  // namespace tracegate
