#include "environment.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "quiet_stops.h"

namespace tracegate {
namespace {

// Not std::mutex: it would need the C++ runtime library (see allocation.cpp).
class Mutex {
 public:
  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

// Children that outlive their environment would stay zombies, since no JavaScript waits for them any more.
// The next environment that forks or ends reaps those that have ended.
Mutex abandonedMutex;
std::vector<pid_t> abandoned;

void ReapAbandoned(const std::vector<pid_t>& more) {
  const std::lock_guard<Mutex> lock(abandonedMutex);
  abandoned.insert(abandoned.end(), more.begin(), more.end());
  const auto gone = [](pid_t pid) {
    int status = 0;
    const pid_t found = waitpid(pid, &status, WNOHANG | __WALL);
    return found < 0 || (found > 0 && (WIFEXITED(status) || WIFSIGNALED(status)));
  };
  abandoned.erase(std::remove_if(abandoned.begin(), abandoned.end(), gone), abandoned.end());
}

std::atomic<int> environments{0};

KernelSignalSet IgnoredRealTimeSignals() {
  KernelSignalSet ignored = 0;
  for (int signal = 32; signal <= 64; signal++) {
    KernelSignalAction action{};
    RawSyscall(SYS_rt_sigaction, signal, 0, Word(&action), sizeof(KernelSignalSet));
    if (action.handler == SIG_IGN) ignored |= SignalBit(signal);
  }
  return ignored;
}

}  // namespace

Environment::Environment(Napi::Env env)
    : pid(getpid()), ignoredRealTimeSignals(IgnoredRealTimeSignals()), loop(LoopWatch::Create(env)) {
  environments++;
  QuietStops::End();
}

Environment::~Environment() {
  environments--;
  CloseOwned();
  ReapAbandoned(children_);
  if (!LoopWatch::HasLoop()) delete loop;
}

bool Environment::IsOnly() {
  return environments == 1;
}

void Environment::ShareOwnership(Napi::Uint8Array marks) {
  marked_ = {marks.Data(), marks.ByteLength()};
  marks_ = Napi::Reference<Napi::Uint8Array>::New(marks, 1);
}

void Environment::CloseOwned() {
  for (size_t i = 1; i < marked_.length; i++) {
    if (marked_.data[i] != 0) close(static_cast<int>(i - 1));
  }
}

void Environment::Forked(pid_t pid) {
  ReapAbandoned({});
  children_.push_back(pid);
}

void Environment::Reaped(pid_t pid) {
  children_.erase(std::remove(children_.begin(), children_.end(), pid), children_.end());
  slots.Sweep();
}

}  // namespace tracegate
