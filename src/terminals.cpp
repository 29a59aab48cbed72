// Pseudo-terminals: pty(7), ioctl_tty(2). No libc openpty: it is in a library of its own on old glibc, and
// opens without close-on-exec.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "above_standard.h"
#include "environment.h"
#include "native.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

namespace tracegate {
namespace {

constexpr int kHow = O_RDWR | O_NOCTTY | O_CLOEXEC;

// A descriptor on the way to its owner: closed by any early return.
class Opened {
 public:
  explicit Opened(int fd) : fd_(AboveStandard(fd)) {}
  ~Opened() {
    if (fd_ >= 0) close(fd_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  int fd() const { return fd_; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

int OpenSlave(int master) {
  const int fd = ioctl(master, TIOCGPTPEER, kHow);
  // Before Linux 4.13 there is only the name, which may mean another terminal if another devpts is mounted.
  if (fd >= 0 || (errno != ENOTTY && errno != EINVAL)) return fd;
  unsigned number = 0;
  if (ioctl(master, TIOCGPTN, &number) < 0) return -1;
  char path[32];
  snprintf(path, sizeof(path), "/dev/pts/%u", number);
  return open(path, kHow);
}

int SetSize(int fd, int rows, int columns) {
  const winsize size{static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
  return ioctl(fd, TIOCSWINSZ, &size);
}

// openpty(rows, columns, out): 0, with out: master and slave. Both are close-on-exec and above the standard
// ones.
Napi::Value Openpty(const Napi::CallbackInfo& info) {
  Opened master(open("/dev/ptmx", kHow));
  if (master.fd() < 0) return Answer(info, -1);
  const int unlocked = 0;
  if (ioctl(master.fd(), TIOCSPTLCK, &unlocked) < 0) return Answer(info, -1);
  if (SetSize(master.fd(), IntArg(info, 0), IntArg(info, 1)) < 0) return Answer(info, -1);
  Opened slave(OpenSlave(master.fd()));
  if (slave.fd() < 0) return Answer(info, -1);
  Environment& environment = Environment::Of(info.Env());
  int32_t* out = IntsArg(info, 2).data;
  environment.Made(out[0] = master.Release());
  environment.Made(out[1] = slave.Release());
  return AnswerRaw(info, 0);
}

Napi::Value SetWindowSize(const Napi::CallbackInfo& info) {
  return Answer(info, SetSize(IntArg(info, 0), IntArg(info, 1), IntArg(info, 2)));
}

// foregroundGroup(master): the terminal's foreground process group, tcgetpgrp(3); 0 if it has none.
Napi::Value ForegroundGroup(const Napi::CallbackInfo& info) {
  pid_t group = 0;
  const int result = ioctl(IntArg(info, 0), TIOCGPGRP, &group);
  return Answer(info, result < 0 ? result : group);
}

}  // namespace

const Export kTerminalsExports[] = {
    {"openpty", Function<Openpty>},
    {"setWindowSize", Function<SetWindowSize>},
    {"foregroundGroup", Function<ForegroundGroup>},
};

Exports TerminalsExports() {
  return All(kTerminalsExports);
}

}  // namespace tracegate
