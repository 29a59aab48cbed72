// The child's exec, as execvp(3) does it.

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {
namespace {

// ETXTBSY: a file that another thread of the parent has just written may still be open in another fork of it.
// That fork closes the file at its exec at the latest. A bounded wait (63 ms) is enough for that.
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

// Errnos of a candidate that does not exist: execvp tries the next one.
bool IsAbsence(long error) noexcept {
  return error == -ENOENT || error == -ENOTDIR || error == -ESTALE || error == -ENODEV || error == -ETIMEDOUT;
}

}  // namespace

// The candidates of a PATH in turn, as execvp does. It reports an error that says more than 'does not exist',
// else ENOENT if that occurred, else the last one.
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
