// The child's user and groups, and the privileges that it may still gain.

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

namespace tracegate {

// Raw calls: libc's would have every thread of the parent change its ids.
long Groups(const Action& action) noexcept {
  const long result = RawSyscall(SYS_setgroups, action.number, Word(action.kept));
  return result == -EPERM && action.mode != 0 ? 0 : result;
}

long Gid(int gid) noexcept {
  return RawSyscall(SYS_setresgid, gid, gid, gid);
}

long Uid(int uid) noexcept {
  return RawSyscall(SYS_setresuid, uid, uid, uid);
}

// EINVAL: there is no such process, or no Yama, and then nothing needs to be allowed.
long Tracer(int pid) noexcept {
  const long result = RawSyscall(SYS_prctl, PR_SET_PTRACER, pid);
  if (result != -EINVAL) return result;
  const char* const scope = "/proc/sys/kernel/yama/ptrace_scope";
  return RawSyscall(SYS_faccessat, AT_FDCWD, Word(scope), 0) == -ENOENT ? 0 : result;
}

long NoNewPrivileges() noexcept {
  return RawSyscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// The filter may refuse rt_sigprocmask: the mask of the program is set before it.
long Seccomp(const Action& action, MaskAtExec& mask) noexcept {
  RawSignalMask(SIG_SETMASK, mask.signals);
  mask.isSet = true;
  sock_fprog program{};
  program.len = static_cast<unsigned short>(action.bytes / sizeof(sock_filter));
  program.filter = reinterpret_cast<sock_filter*>(const_cast<uint8_t*>(action.data));
  return RawSyscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, Word(&program));
}

}  // namespace tracegate
