// The child's namespaces and root.

#include <sched.h>
#include <sys/mount.h>

#include "actions.h"
#include "program.h"
#include "raw_syscall.h"

namespace tracegate {

// A mount in a namespace of its own would still appear outside, where the mounts are shared: as slaves they
// take what is mounted outside, and give nothing.
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
