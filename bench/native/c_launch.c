// The C reference for launches: clone(CLONE_VM), PTRACE_TRACEME, a pipe, waitpid, and no other call.
//
// It is an addon, so that it runs in the same process as the other contenders, with the same heap and
// descriptors.

#define _GNU_SOURCE
#include <fcntl.h>
#include <node_api.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

enum { kStackBytes = 64 * 1024 };

static char* stack;
static int channel[2];

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int child(void* unused) {
  (void)unused;
  char* const argv[] = {"/bin/true", NULL};
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  if (write(channel[1], "", 1) != 1) _exit(126);
  execve(argv[0], argv, environ);
  _exit(127);
}

// Microseconds from the first call to the exec stop. Negative on failure. Runs the child to its end
// afterwards.
static double launch(void) {
  const double start = microseconds();
  if (pipe2(channel, O_CLOEXEC) != 0) return -1;
  const int pid = clone(child, stack + kStackBytes, CLONE_VM | SIGCHLD, NULL);
  if (pid < 0) return -1;
  char byte;
  int status;
  if (read(channel[0], &byte, 1) != 1 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) return -1;
  const double taken = microseconds() - start;
  ptrace(PTRACE_CONT, pid, 0, 0);
  waitpid(pid, &status, 0);
  close(channel[0]);
  close(channel[1]);
  return taken;
}

static napi_value Launch(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_double(env, launch(), &result);
  return result;
}

NAPI_MODULE_INIT() {
  stack = mmap(NULL, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  napi_value function;
  napi_create_function(env, "launch", NAPI_AUTO_LENGTH, Launch, NULL, &function);
  napi_set_named_property(env, exports, "launch", function);
  return exports;
}
