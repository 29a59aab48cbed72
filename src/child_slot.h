// Where a child that shares our memory lives until it execs or exits: its stack and its program.

#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "child/program.h"

namespace tracegate {

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};

using Memory = std::unique_ptr<std::byte[], FreeMemory>;

// The kernel zeroes `tid` when the child leaves the shared memory, at exec or at exit (CLONE_CHILD_CLEARTID).
// From then on stack and block may be reused, without a wait for the child.
class ChildSlot {
 public:
  static std::unique_ptr<ChildSlot> Map();  // null when there is no memory
  ~ChildSlot();
  ChildSlot(const ChildSlot&) = delete;
  ChildSlot& operator=(const ChildSlot&) = delete;

  // Whether the child has left the shared memory.
  bool HasLeft() const { return tid_.load(std::memory_order_acquire) == 0; }
  // A record is kept until it is taken.
  bool IsFree() const { return HasLeft() && record.error.load(std::memory_order_acquire) == 0; }

  // Starts a child on this slot's stack. The pid, or -errno. flags: CLONE_VM, or in a copy of the memory;
  // CLONE_NEW* for namespaces of its own. cgroupFd: the folder of a cgroup to start in; -1: none.
  long Start(unsigned long flags, int cgroupFd);

  Program program{};
  FailureRecord record;
  Memory block;  // what the program's pointers point into
  pid_t pid = 0;

 private:
  ChildSlot(void* mapping, size_t bytes) : mapping_(mapping), bytes_(bytes) {}

  void* mapping_;
  size_t bytes_;
  std::atomic<int> tid_{0};
};

// The slots of one environment. A few are kept mapped for the next launch.
class ChildSlots {
 public:
  ~ChildSlots();
  ChildSlot* Acquire();  // null when there is no memory
  // The slot of a child of that pid that has left a record; null if there is none.
  ChildSlot* WithRecord(pid_t pid);
  // Frees what children that have left the shared memory no longer need.
  void Sweep();

 private:
  std::vector<std::unique_ptr<ChildSlot>> slots_;
};

}  // namespace tracegate
