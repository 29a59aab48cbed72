// Starts a child that does not return to its caller: it runs a function on a stack of its own.

#pragma once

#include <cstddef>

namespace tracegate {

struct ChildStart {
  // CLONE_VM: in this memory, until it execs or exits; without it in a copy. And CLONE_NEW*.
  unsigned long flags;
  void* stack;  // its lowest address
  size_t stackBytes;
  int* clearedTid;      // CLONE_CHILD_CLEARTID: zeroed when it leaves the shared memory; null: none
  int (*entry)(void*);  // does not return
  void* argument;
  // Both are written before the child starts, in memory that it can read.
  bool* handlersAreCleared;
  int cgroupFd = -1;           // the folder of a cgroup to start in, if the kernel can do that; -1: none
  bool* isInCgroup = nullptr;  // set if there is a cgroupFd
};

// The pid, or -errno. From its first instruction on the child has none of our signal handlers, if the kernel
// supports that.
long StartChild(const ChildStart& start);

}  // namespace tracegate
