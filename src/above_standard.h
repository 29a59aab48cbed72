// The library's own descriptors stay above the standard ones. If a standard descriptor is closed, the kernel
// gives its number to the next file, and a child would inherit that file in its place.

#pragma once

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace tracegate {

constexpr int kFirstOwn = 3;  // lib/launch/base/above-standard.ts

// The descriptor, or a copy of it at 3 or above in its place; -1 and errno if `fd` is -1 or no number is
// free.
inline int AboveStandard(int fd) {
  if (fd < 0 || fd >= kFirstOwn) return fd;
  const int above = fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwn);
  const int error = errno;
  close(fd);
  errno = error;
  return above;
}

}  // namespace tracegate
