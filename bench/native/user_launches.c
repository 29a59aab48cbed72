// Ways of starting /bin/true as another user, in C: from the call to the exec, medians, at several sizes of
// touched memory. One line for each size and way: MIB WAY MICROSECONDS.
//
// user_launches HELPER MIB...

#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

enum way { kFork, kHelperByPath, kHelperByDescriptor, kSharedSameUser, kWays };
enum { kRounds = 100, kWarmUp = 5, kStackBytes = 64 * 1024 };

static const char* const names[kWays] = {"fork", "helper-by-path", "helper-by-descriptor", "same-user"};
static char stack[kStackBytes];
static const char* helper;
static int helper_fd;
static int channel[2];

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int child(void* argument) {
  const enum way way = *(const enum way*)argument;
  char* const words[] = {"as_user", "65534", "65534", "/bin/true", NULL};
  if (way == kFork &&
      (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
    _exit(125);
  if (way == kFork || way == kSharedSameUser) execve(words[3], words + 3, environ);
  // The helper makes it close-on-exec again: the parent sees its end at the second exec.
  fcntl(channel[1], F_SETFD, 0);
  if (way == kHelperByPath) execve(helper, words, environ);
  if (way == kHelperByDescriptor) syscall(SYS_execveat, helper_fd, "", words, environ, AT_EMPTY_PATH);
  _exit(127);
}

static double start(enum way way) {
  char byte;
  int status = 0;
  if (pipe2(channel, O_CLOEXEC) != 0) exit(1);
  const double before = microseconds();
  int pid;
  if (way == kFork) {
    pid = fork();
    if (pid == 0) child(&way);
  } else {
    pid = clone(child, stack + kStackBytes, CLONE_VM | CLONE_VFORK | SIGCHLD, &way);
  }
  close(channel[1]);
  const long got = read(channel[0], &byte, 1);
  const double taken = microseconds() - before;
  close(channel[0]);
  if (pid < 0 || got != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    fprintf(stderr, "%s failed: status %x\n", names[way], (unsigned)status);
    exit(1);
  }
  return taken;
}

static int compare(const void* a, const void* b) {
  const double difference = *(const double*)a - *(const double*)b;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char** argv) {
  helper = argv[1];
  helper_fd = open(helper, O_PATH | O_CLOEXEC);
  size_t touched = 0;
  for (int i = 2; i < argc; i++) {
    const size_t wanted = strtoul(argv[i], NULL, 10) << 20;
    char* const more =
        mmap(NULL, wanted - touched, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (more == MAP_FAILED) return 1;
    // A heap has few huge pages. With them there would be next to no page tables to copy.
    madvise(more, wanted - touched, MADV_NOHUGEPAGE);
    memset(more, 1, wanted - touched);
    touched = wanted;
    static double samples[kWays][kRounds];
    for (int round = -kWarmUp; round < kRounds; round++) {
      for (int way = 0; way < kWays; way++) {
        const double taken = start(way);
        if (round >= 0) samples[way][round] = taken;
      }
    }
    for (int way = 0; way < kWays; way++) {
      qsort(samples[way], kRounds, sizeof(double), compare);
      printf("%s %s %.0f\n", argv[i], names[way], samples[way][kRounds / 2]);
    }
  }
  return 0;
}
