// System calls without libc: no errno, no cancellation point, no thread-local state.
//
// A child that shares the parent's memory also shares the parent thread's TLS block, so libc's wrappers would
// write the parent's errno and some would take its locks.

#pragma once

#include <sys/syscall.h>

namespace tracegate {

#if defined(__x86_64__)

inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}

#else
#error "tracegate supports x86-64 and arm64"
#endif

template <typename T>
inline long Word(const T* pointer) noexcept {
  return reinterpret_cast<long>(pointer);
}

// The kernel's sigset_t: 64 bits, with the two signals that libc hides from its callers.
using KernelSignalSet = unsigned long;

constexpr KernelSignalSet kAllSignals = ~0UL;
constexpr KernelSignalSet kStandardSignals = (1UL << 31) - 1;

constexpr KernelSignalSet SignalBit(int signal) noexcept {
  return 1UL << (signal - 1);
}

// The kernel's struct sigaction.
struct KernelSignalAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  KernelSignalSet mask;
};

inline long RawSignalMask(int how, KernelSignalSet set, KernelSignalSet* old = nullptr) noexcept {
  return RawSyscall(SYS_rt_sigprocmask, how, Word(&set), Word(old), sizeof(set));
}

}  // namespace tracegate
