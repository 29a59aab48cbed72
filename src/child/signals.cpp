// The child's signals: their actions, their mask, one sent to itself.

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

constexpr KernelSignalSet kIgnoredByDefault =
    SignalBit(SIGCHLD) | SignalBit(SIGCONT) | SignalBit(SIGURG) | SignalBit(SIGWINCH);

bool IsDefault(int signal) noexcept {
  KernelSignalAction action{};
  return RawSyscall(SYS_rt_sigaction, signal, 0, Word(&action), sizeof(KernelSignalSet)) == 0 &&
         action.handler == SIG_DFL;
}

}  // namespace

// A handler of the parent's, run here, would run in the parent's memory. Ignored signals would stay ignored
// across exec (Node ignores SIGPIPE), so all go back to their defaults. Each is a system call on the way to
// the exec: those that can be neither handled nor ignored are passed over.
//
// To set a default that ignores the signal discards a pending one, though a tracer that has seized the child
// by now is to be given it. If that is the default already, it is left as it is.
void ResetSignals(const Program& program) noexcept {
  const KernelSignalAction byDefault{SIG_DFL, 0, nullptr, 0};
  KernelSignalSet set = program.handlersAreCleared ? kStandardSignals | program.ignored : kAllSignals;
  set &= ~(SignalBit(SIGKILL) | SignalBit(SIGSTOP));
  for (; set != 0; set &= set - 1) {
    const int signal = __builtin_ctzl(set) + 1;
    if ((kIgnoredByDefault & SignalBit(signal)) != 0 && IsDefault(signal)) continue;
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

long IgnoreSignals(KernelSignalSet set) noexcept {
  const KernelSignalAction ignore{SIG_IGN, 0, nullptr, 0};
  for (; set != 0; set &= set - 1) {
    const int signal = __builtin_ctzl(set) + 1;
    const long result = RawSyscall(SYS_rt_sigaction, signal, Word(&ignore), 0, sizeof(KernelSignalSet));
    if (result < 0) return result;
  }
  return 0;
}

long ParentDeathSignal(const Program& program, const Action& action) noexcept {
  const long result = RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, action.number);
  if (result < 0 || action.number == 0) return result;
  // The signal is for deaths from now on; a parent that died before this line sends none.
  if (RawSyscall(SYS_getppid) != program.parent) Exit(kExitAborted);
  // In a pid namespace getppid is 0 whether the parent lives or not. Its pidfd is ready once it has ended.
  if (action.fd >= 0 && IsReadyNow(action.fd)) Exit(kExitAborted);
  return 0;
}

}  // namespace tracegate
