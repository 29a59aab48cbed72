// The actions of a child program, by theme: each returns 0 or more, or a negative errno.
//
// They may run in the parent's memory, beside the parent. So: no allocation, no libc call, and no write to
// anything but their own stack and their own program.

#pragma once

#include <signal.h>

#include <cstddef>
#include <cstdint>

#include "program.h"

namespace tracegate {

constexpr int kExitAborted = 126;  // the parent is gone, or has closed the gate without opening it
constexpr int kExitFailed = 127;   // an action failed; the report says which

// Blocked until exec. On kernels before 5.16 a core dump ends every process that shares the memory, so the
// signals that dump core are blocked. SIGPIPE is blocked so that a failed write returns its errno.
constexpr KernelSignalSet kBlockedUntilExec =
    SignalBit(SIGQUIT) | SignalBit(SIGILL) | SignalBit(SIGABRT) | SignalBit(SIGBUS) | SignalBit(SIGFPE) |
    SignalBit(SIGSEGV) | SignalBit(SIGXCPU) | SignalBit(SIGXFSZ) | SignalBit(SIGSYS) | SignalBit(SIGPIPE);

// The mask that the program starts with. A seccomp filter may refuse to set it, so it is set before one.
struct MaskAtExec {
  KernelSignalSet signals = 0;
  bool isSet = false;
};

// io.cpp
[[noreturn]] void Exit(int code) noexcept;
long WriteAll(int fd, const uint8_t* data, size_t bytes) noexcept;
long ReadAll(int fd, size_t bytes) noexcept;
bool IsReadyNow(int fd) noexcept;

// descriptors.cpp
long Open(const Action& action) noexcept;
long Dup2(int fd, int target) noexcept;
long SetBlocking(int fd) noexcept;
long Close(int fd) noexcept;
long CloseAllExcept(const Action& action) noexcept;

// signals.cpp
void ResetSignals(const Program& program) noexcept;
long Raise(int signal) noexcept;
long IgnoreSignals(KernelSignalSet set) noexcept;
long ParentDeathSignal(const Program& program, const Action& action) noexcept;

// session.cpp
long ProcessGroup(int group) noexcept;
long ControllingTerminal(int fd) noexcept;
long Foreground() noexcept;

// limits.cpp
long Umask(int mask) noexcept;
long Rlimits(const Action& action) noexcept;
long Nice(int nice) noexcept;
long OomScoreAdj(const Action& action) noexcept;
long Affinity(const Action& action) noexcept;
long Aslr(bool on) noexcept;
long JoinCgroup(const Program& program, const Action& action) noexcept;

// namespaces.cpp
long Unshare(int flags) noexcept;
long Chroot(const char* path) noexcept;

// credentials.cpp
long Groups(const Action& action) noexcept;
long Gid(int gid) noexcept;
long Uid(int uid) noexcept;
long Tracer(int pid) noexcept;
long NoNewPrivileges() noexcept;
long Seccomp(const Action& action, MaskAtExec& mask) noexcept;

// execve.cpp
long Execve(const Action& action, const MaskAtExec& mask) noexcept;

}  // namespace tracegate
