// The programs that bench/tracing.mjs traces: `spin`, `calls COUNT`, `threads COUNT`.

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int ready;
static atomic_int handled;

static void handler(int signal) {
  (void)signal;
  atomic_fetch_add(&handled, 1);
}

static void* sleeper(void* unused) {
  atomic_fetch_add(&ready, 1);
  for (;;) pause();
  return unused;
}

// Threads that sleep, and then, one after the other, get a SIGUSR1 of their own. The main thread raises
// SIGUSR2 before and after that.
static int threads(int count) {
  pthread_t* all = calloc((size_t)count, sizeof(pthread_t));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  signal(SIGUSR1, handler);
  signal(SIGUSR2, handler);
  for (int i = 0; i < count; i++) {
    if (pthread_create(&all[i], &attributes, sleeper, NULL) != 0) return 1;
  }
  while (atomic_load(&ready) < count) usleep(100);
  raise(SIGUSR2);
  for (int i = 0; i < count; i++) {
    const int before = atomic_load(&handled);
    pthread_kill(all[i], SIGUSR1);
    while (atomic_load(&handled) == before) sched_yield();
  }
  raise(SIGUSR2);
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  const int count = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(what, "spin") == 0) {
    for (volatile unsigned turns = 0;; turns++) {
    }
  }
  if (strcmp(what, "calls") == 0) {
    for (int i = 0; i < count; i++) syscall(SYS_getppid);
    return 0;
  }
  if (strcmp(what, "threads") == 0) return threads(count);
  return 2;
}
