#include "environment.h"

#include <sys/wait.h>

#include <algorithm>
#include <mutex>

namespace tracegate {
namespace {

// Children whose environment ended before they did. Nobody will ask for them again, so they are reaped here
// when they have ended, by whichever environment forks or ends next: a long-lived process collects no
// zombies.
std::mutex abandonedMutex;
std::vector<pid_t> abandoned;

void ReapAbandoned(const std::vector<pid_t>& more) {
  const std::lock_guard<std::mutex> lock(abandonedMutex);
  abandoned.insert(abandoned.end(), more.begin(), more.end());
  const auto gone = [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG | __WALL) != 0; };
  abandoned.erase(std::remove_if(abandoned.begin(), abandoned.end(), gone), abandoned.end());
}

}  // namespace

Environment::Environment(Napi::Env env) : loop(LoopWatch::Create(env)) {}

Environment::~Environment() {
  ReapAbandoned(children_);
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
