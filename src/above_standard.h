// Descriptors of the library's own stay above the standard ones: where one of those is closed, the kernel
// would give its number to what is opened next, and a child would inherit that as its own.

#pragma once

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace tracegate {

constexpr int kFirstOwn = 3;  // lib/launch/above-standard.ts

// The descriptor, or a copy at 3 or above in its place; -1, and errno, where `fd` is that or there is no
// room.
inline int AboveStandard(int fd) {
  if (fd < 0 || fd >= kFirstOwn) return fd;
  const int above = fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwn);
  const int error = errno;
  close(fd);
  errno = error;
  return above;
}

}  // namespace tracegate
