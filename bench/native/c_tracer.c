// The C reference for tracing: `c_tracer TRACEE steps|calls|threads COUNT` prints microseconds, one line for
// each measured part. Its waits are those of the fastest tracer: waitpid of the one tid, or of any.

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t tracee;

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void must(int holds, const char* what) {
  if (holds) return;
  perror(what);
  if (tracee > 0) kill(tracee, SIGKILL);
  exit(1);
}

static void start(char** argv) {
  tracee = fork();
  must(tracee >= 0, "fork");
  if (tracee == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execv(argv[0], argv);
    _exit(127);
  }
  int status;
  must(waitpid(tracee, &status, __WALL) == tracee && WIFSTOPPED(status), "waitpid");
  const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE;
  must(ptrace(PTRACE_SETOPTIONS, tracee, 0, options) == 0, "PTRACE_SETOPTIONS");
  must(ptrace(PTRACE_CONT, tracee, 0, 0) == 0, "PTRACE_CONT");
  must(waitpid(tracee, &status, __WALL) == tracee && status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8),
       "exec");
}

static void resumeEach(long request, int count) {
  const double before = microseconds();
  for (int i = 0; i < count; i++) {
    int status;
    must(ptrace(request, tracee, 0, 0) == 0, "ptrace");
    must(waitpid(tracee, &status, __WALL) == tracee && WIFSTOPPED(status), "waitpid");
  }
  printf("%f\n", microseconds() - before);
}

static pid_t* tids;
static int known;

// Resumes whatever stops until the main thread has a SIGUSR2, and leaves it there.
static void untilMark(void) {
  for (;;) {
    int status;
    const pid_t tid = waitpid(-1, &status, __WALL);
    must(tid > 0 && WIFSTOPPED(status), "waitpid(-1)");
    const int event = status >> 16;
    const int signal = WSTOPSIG(status);
    if (event == 0 && signal == SIGUSR2) return;
    if (event == PTRACE_EVENT_CLONE) {
      unsigned long born;
      must(ptrace(PTRACE_GETEVENTMSG, tid, 0, &born) == 0, "PTRACE_GETEVENTMSG");
      tids[known++] = (pid_t)born;
    }
    const long delivered = event == 0 && signal != SIGSTOP ? signal : 0;
    must(ptrace(PTRACE_CONT, tid, 0, delivered) == 0, "PTRACE_CONT");
  }
}

static void stopAll(void) {
  for (int i = 0; i < known; i++) must(syscall(SYS_tgkill, tracee, tids[i], SIGSTOP) == 0, "tgkill");
  for (int i = 0; i < known; i++) {
    int status;
    const pid_t tid = waitpid(-1, &status, __WALL);
    must(tid > 0 && WIFSTOPPED(status), "waitpid(-1)");
  }
}

static void contAll(void) {
  for (int i = 0; i < known; i++) must(ptrace(PTRACE_CONT, tids[i], 0, 0) == 0, "PTRACE_CONT");
}

static void followThreads(int count) {
  tids = calloc((size_t)count + 1, sizeof(pid_t));
  double before = microseconds();
  must(ptrace(PTRACE_CONT, tracee, 0, 0) == 0, "PTRACE_CONT");
  untilMark();
  printf("%f\n", microseconds() - before);
  before = microseconds();
  stopAll();
  contAll();
  printf("%f\n", microseconds() - before);
  before = microseconds();
  must(ptrace(PTRACE_CONT, tracee, 0, 0) == 0, "PTRACE_CONT");
  untilMark();
  printf("%f\n", microseconds() - before);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int count = atoi(argv[3]);
  if (strcmp(argv[2], "steps") == 0) {
    start((char*[]){argv[1], "spin", NULL});
    resumeEach(PTRACE_SINGLESTEP, count);
  } else if (strcmp(argv[2], "calls") == 0) {
    start((char*[]){argv[1], "calls", argv[3], NULL});
    resumeEach(PTRACE_SYSCALL, 2 * count);
  } else if (strcmp(argv[2], "threads") == 0) {
    start((char*[]){argv[1], "threads", argv[3], NULL});
    followThreads(count);
  }
  kill(tracee, SIGKILL);
  return 0;
}
