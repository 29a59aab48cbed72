// The child's exec, as execvp(3) does it.

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

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

}  // namespace

// The candidates of a PATH in turn, as execvp does. The error to report is one that says more than 'not
// there', else ENOENT where that was said, else the last.
long Execve(const Action& action, const MaskAtExec& mask) noexcept {
  if (!mask.isSet) RawSignalMask(SIG_SETMASK, mask.signals);
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
  if (!mask.isSet) RawSignalMask(SIG_SETMASK, kBlockedUntilExec);
  if (refused != 0) return refused;
  return absent != 0 ? absent : -ENOENT;
}

}  // namespace tracegate
