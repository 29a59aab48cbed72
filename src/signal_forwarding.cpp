// Records the signals that the command receives, with their senders, so that JavaScript can forward them.
//
// process.on would give neither si_code nor si_value, supports no real-time signals, and leaves SIGUSR1 to
// Node's inspector.

#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "native.h"

namespace tracegate {
namespace {

constexpr int kSignals = 65;

// The numbers are those of lib/cli/taken-signals.ts.
struct Record {
  int32_t signal;
  int32_t code;
  int32_t sender;
  int32_t valueLow;
  int32_t valueHigh;
};

std::atomic<int> recordFd{-1};
struct sigaction before[kSignals];
bool isTaken[kSignals];

// A record is smaller than PIPE_BUF: it is written whole or, if the pipe is full, not at all.
void Note(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  const bool isMainThread = syscall(SYS_gettid) == getpid();
  // Several threads handling signals would change their order: from now on this one blocks them.
  if (!isMainThread) {
    for (int each = 1; each < kSignals; each++) {
      if (isTaken[each]) sigaddset(&static_cast<ucontext_t*>(context)->uc_sigmask, each);
    }
  }
  const auto value = reinterpret_cast<uintptr_t>(info->si_value.sival_ptr);
  const Record record{signal, info->si_code, info->si_pid, static_cast<int32_t>(value),
                      static_cast<int32_t>(value >> 32)};
  const int fd = recordFd.load(std::memory_order_relaxed);
  if (fd >= 0 && write(fd, &record, sizeof(record)) < 0) {
  }
  errno = saved;
}

// takeSignals(signals, fd, threads): from now on each of these signals becomes a record on `fd`. 0, or
// -errno. `threads` are those of this process. Each but the main one is sent a signal now, and then blocks
// them all.
Napi::Value TakeSignals(const Napi::CallbackInfo& info) {
  const auto signals = IntsArg(info, 0);
  recordFd.store(IntArg(info, 1), std::memory_order_relaxed);
  const auto threads = IntsArg(info, 2);
  sigset_t taken;
  sigemptyset(&taken);
  for (size_t i = 0; i < signals.length; i++) sigaddset(&taken, signals.data[i]);
  for (size_t i = 0; i < signals.length; i++) {
    const int signal = signals.data[i];
    if (signal < 1 || signal >= kSignals || isTaken[signal]) continue;
    struct sigaction action {};
    action.sa_sigaction = Note;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    if (sigaction(signal, &action, &before[signal]) < 0) return Answer(info, -1);
    isTaken[signal] = true;
  }
  // Node keeps SIGUSR1 blocked until its inspector listens for it.
  pthread_sigmask(SIG_UNBLOCK, &taken, nullptr);
  for (size_t i = 0; i < threads.length; i++) {
    if (threads.data[i] != getpid()) syscall(SYS_tgkill, getpid(), threads.data[i], SIGURG);
  }
  return AnswerRaw(info, 0);
}

// releaseSignals(): restores what each signal did before. The descriptor may be closed afterwards.
void ReleaseSignals(const Napi::CallbackInfo&) {
  for (int signal = 1; signal < kSignals; signal++) {
    if (isTaken[signal]) sigaction(signal, &before[signal], nullptr);
    isTaken[signal] = false;
  }
  recordFd.store(-1, std::memory_order_relaxed);
}

// actByDefault(signal): carries out the signal's default action on this process; a stop returns once it is
// over.
Napi::Value ActByDefault(const Napi::CallbackInfo& info) {
  const int signal = IntArg(info, 0);
  struct sigaction byDefault {};
  struct sigaction own {};
  byDefault.sa_handler = SIG_DFL;
  if (sigaction(signal, &byDefault, &own) < 0) return Answer(info, -1);
  const int result = raise(signal);
  sigaction(signal, &own, nullptr);
  return AnswerRaw(info, -result);
}

// queueSignal(pid, signal, valueLow, valueHigh): sigqueue(3). 0, or -errno.
Napi::Value QueueSignal(const Napi::CallbackInfo& info) {
  sigval value{};
  value.sival_ptr = reinterpret_cast<void*>(static_cast<uintptr_t>(MaskArg(info, 2)) |
                                            static_cast<uintptr_t>(MaskArg(info, 3)) << 32);
  return Answer(info, sigqueue(IntArg(info, 0), IntArg(info, 1), value));
}

}  // namespace

const Export kSignalForwardingExports[] = {
    {"takeSignals", Function<TakeSignals>},
    {"releaseSignals", Function<ReleaseSignals>},
    {"actByDefault", Function<ActByDefault>},
    {"queueSignal", Function<QueueSignal>},
};

Exports SignalForwardingExports() {
  return All(kSignalForwardingExports);
}

}  // namespace tracegate
