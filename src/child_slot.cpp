#include "child_slot.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "start_child.h"

namespace tracegate {
namespace {

constexpr size_t kStackBytes = 16 * 1024;
constexpr size_t kSlotsKept = 8;

[[noreturn]] int ChildEntry(void* slot) {
  RunChildProgram(static_cast<ChildSlot*>(slot)->program);
}

}  // namespace

std::unique_ptr<ChildSlot> ChildSlot::Map() {
  const size_t guard = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t bytes = guard + (kStackBytes + guard - 1) / guard * guard;
  void* mapping =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  if (mprotect(mapping, guard, PROT_NONE) != 0) {
    munmap(mapping, bytes);
    return nullptr;
  }
  return std::unique_ptr<ChildSlot>(new ChildSlot(mapping, bytes));
}

ChildSlot::~ChildSlot() {
  munmap(mapping_, bytes_);
}

long ChildSlot::Start(unsigned long flags, int cgroupFd) {
  const bool shared = (flags & CLONE_VM) != 0;
  if (shared) tid_.store(1, std::memory_order_relaxed);
  int* const clearedTid = shared ? reinterpret_cast<int*>(&tid_) : nullptr;
  const long started = StartChild({flags, mapping_, bytes_, clearedTid, ChildEntry, this,
                                   &program.handlersAreCleared, cgroupFd, &program.isInCgroup});
  if (started < 0) {
    tid_.store(0, std::memory_order_relaxed);
  } else {
    pid = static_cast<pid_t>(started);
  }
  return started;
}

ChildSlot* ChildSlots::Acquire() {
  Sweep();
  const auto free =
      std::find_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->IsFree(); });
  if (free != slots_.end()) return free->get();
  auto slot = ChildSlot::Map();
  if (!slot) return nullptr;
  slots_.push_back(std::move(slot));
  return slots_.back().get();
}

ChildSlot* ChildSlots::WithRecord(pid_t pid) {
  const auto found = std::find_if(slots_.begin(), slots_.end(), [pid](const auto& slot) {
    return slot->pid == pid && slot->HasLeft() && !slot->IsFree();
  });
  return found == slots_.end() ? nullptr : found->get();
}

void ChildSlots::Sweep() {
  size_t kept = 0;
  const auto surplus = [&kept](const std::unique_ptr<ChildSlot>& slot) {
    if (!slot->IsFree()) return false;
    slot->block.reset();
    return ++kept > kSlotsKept;
  };
  slots_.erase(std::remove_if(slots_.begin(), slots_.end(), surplus), slots_.end());
}

// At the end of an environment a child still here is one of a launch in progress, which no JavaScript will
// finish.
ChildSlots::~ChildSlots() {
  for (auto& slot : slots_) {
    if (slot->HasLeft()) continue;
    kill(slot->pid, SIGKILL);
    while (waitpid(slot->pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace tracegate
