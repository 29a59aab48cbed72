#include "quiet_stops.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>

#include "environment.h"

namespace tracegate {
namespace {

// The action of SIGCHLD, as last seen: to ask for it at each wait would be a third call. Used only while
// there is one environment.
struct sigaction usual;
std::atomic<bool> isAnyQuiet{false};

bool IsUsual(const struct sigaction& action) {
  return action.sa_handler == usual.sa_handler && action.sa_flags == usual.sa_flags;
}

}  // namespace

QuietStops::QuietStops(const Napi::CallbackInfo& info, int waitOptions) {
  // The listeners of another thread's loop may run during the wait, and would miss a stop.
  if ((waitOptions & WNOHANG) != 0 || !Environment::IsOnly()) return;
  // The listeners of this loop look once the thread is back in it, for all that has changed by then. They do
  // so only if a SIGCHLD has come.
  if (!Environment::Of(info.Env()).loop->IsChildChangeDue()) return;
  if (usual.sa_handler == SIG_DFL) {
    sigaction(SIGCHLD, nullptr, &usual);
    return;
  }
  isAnyQuiet = true;
  struct sigaction quiet = usual;
  quiet.sa_flags |= SA_NOCLDSTOP;
  struct sigaction found {};
  isQuiet_ = sigaction(SIGCHLD, &quiet, &found) == 0;
  if (isQuiet_ && IsUsual(found) && Environment::IsOnly()) return;
  if (isQuiet_) sigaction(SIGCHLD, &found, nullptr);
  usual = found;
  isQuiet_ = isAnyQuiet = false;
}

QuietStops::~QuietStops() {
  if (!isQuiet_) return;
  const int error = errno;
  struct sigaction found {};
  sigaction(SIGCHLD, &usual, &found);
  // Another thread has set a handler during the wait.
  if (found.sa_handler != usual.sa_handler) sigaction(SIGCHLD, &found, nullptr);
  isAnyQuiet = false;
  errno = error;
}

void QuietStops::End() {
  struct sigaction current {};
  if (!isAnyQuiet || sigaction(SIGCHLD, nullptr, &current) != 0) return;
  current.sa_flags &= ~SA_NOCLDSTOP;
  sigaction(SIGCHLD, &current, nullptr);
}

}  // namespace tracegate
