// The child's namespaces and root.

#include <sched.h>
#include <sys/mount.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {

// Mounts made in the new namespace would still appear outside if the mounts are shared. As slaves they
// receive what is mounted outside, and propagate nothing.
long Unshare(int flags) noexcept {
  const long result = RawSyscall(SYS_unshare, flags);
  if (result < 0 || (flags & CLONE_NEWNS) == 0) return result;
  return RawSyscall(SYS_mount, Word("none"), Word("/"), 0, MS_REC | MS_SLAVE, 0);
}

// A directory left outside the new root would be a way out of it.
long Chroot(const char* path) noexcept {
  const long result = RawSyscall(SYS_chroot, Word(path));
  return result < 0 ? result : RawSyscall(SYS_chdir, Word("/"));
}

}  // namespace tracegate
