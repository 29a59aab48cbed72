#include "start_child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace tracegate {
namespace {

// struct clone_args, which headers older than Linux 5.3 lack. What follows `tls` came with Linux 5.5 and 5.7.
struct Clone3Arguments {
  uint64_t flags;
  uint64_t pidfd;
  uint64_t childTid;
  uint64_t parentTid;
  uint64_t exitSignal;
  uint64_t stack;
  uint64_t stackBytes;
  uint64_t tls;
  uint64_t setTid;
  uint64_t setTidCount;
  uint64_t cgroup;
};

constexpr size_t kFirstVersionBytes = offsetof(Clone3Arguments, setTid);

// libc has no wrapper for clone3, and its syscall() would return in the child, on a stack without a return
// address.
long RawClone3(const Clone3Arguments& arguments, size_t bytes, int (*entry)(void*), void* argument) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "mov %[argument], %%rdi\n\t"
      "call *%[entry]\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(&arguments), "S"(bytes), [entry] "r"(entry), [argument] "r"(argument)
      : "rcx", "r11", "cc", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_clone3;
  register long x0 __asm__("x0") = reinterpret_cast<long>(&arguments);
  register long x1 __asm__("x1") = bytes;
  __asm__ volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x0, %[argument]\n\t"
      "blr %[entry]\n\t"
      "brk #1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), [entry] "r"(entry), [argument] "r"(argument)
      : "memory");
  return x0;
#endif
}

// Kernels before 5.5 know no CLONE_CLEAR_SIGHAND, those before 5.3 no clone3; some sandboxes refuse it.
bool RefusesClone3(long result) {
  return result == -EINVAL || result == -ENOSYS || result == -EPERM;
}

constexpr unsigned long kNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// If the kernel refuses, the child joins the cgroup by itself, and reports an error of that.
long CloneIntoCgroup(const ChildStart& start, Clone3Arguments arguments) {
  arguments.flags |= CLONE_INTO_CGROUP;
  arguments.cgroup = static_cast<uint64_t>(start.cgroupFd);
  *start.isInCgroup = true;
  const long pid = RawClone3(arguments, sizeof(arguments), start.entry, start.argument);
  if (pid < 0) *start.isInCgroup = false;
  return pid;
}

}  // namespace

long StartChild(const ChildStart& start) {
  static std::atomic<bool> hasClone3{true};
  const unsigned long flags = start.flags | (start.clearedTid != nullptr ? CLONE_CHILD_CLEARTID : 0);
  *start.handlersAreCleared = true;
  if (hasClone3.load(std::memory_order_relaxed)) {
    Clone3Arguments arguments{};
    arguments.flags = flags | CLONE_CLEAR_SIGHAND;
    arguments.childTid = reinterpret_cast<uint64_t>(start.clearedTid);
    arguments.exitSignal = SIGCHLD;
    arguments.stack = reinterpret_cast<uint64_t>(start.stack);
    arguments.stackBytes = start.stackBytes;
    if (start.cgroupFd >= 0) {
      const long pid = CloneIntoCgroup(start, arguments);
      if (pid >= 0) return pid;
    }
    const long pid = RawClone3(arguments, kFirstVersionBytes, start.entry, start.argument);
    if (!RefusesClone3(pid)) return pid;
    // New namespaces are refused with the same errnos.
    if ((flags & kNamespaces) == 0) hasClone3.store(false, std::memory_order_relaxed);
  }
  *start.handlersAreCleared = false;
  void* stackTop = static_cast<std::byte*>(start.stack) + start.stackBytes;
  const int pid = clone(start.entry, stackTop, static_cast<int>(flags | SIGCHLD), start.argument, nullptr,
                        nullptr, start.clearedTid);
  return pid < 0 ? -errno : pid;
}

}  // namespace tracegate
