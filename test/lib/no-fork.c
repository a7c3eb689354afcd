/* no-fork.so, for LD_PRELOAD. NO_FORK says what befalls the process that forks workers: "fails", fork(2) does; "thread",
   it has another thread for ever; "late", from its third fork on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int forks;

static int is(const char *what) {
	const char *told = getenv("NO_FORK");
	return told && !strcmp(told, what);
}

static void *stay(void *nothing) {
	(void)nothing;
	for (;;) pause();
}

static void start_thread(void) {
	pthread_t thread;
	pthread_create(&thread, 0, stay, 0);
}

__attribute__((constructor)) static void begin(void) {
	char line[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, line, sizeof line);
	close(fd);
	if (n > 0 && is("thread") && memmem(line, (size_t)n, "--fork-server", 13)) start_thread();
}

static pid_t (*real)(void);

static pid_t not_fork(void) {
	if (is("fails")) {
		errno = EAGAIN;
		return -1;
	}
	pid_t pid = real();
	if (pid > 0 && is("late") && ++forks == 3) start_thread();
	return pid;
}

/* The runtime finds fork(2) by this. */
void *dlsym(void *library, const char *name) {
	void *(*next)(void *, const char *) = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
	if (!next) next = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
	void *found = next(library, name);
	if (!found || strcmp(name, "fork")) return found;
	real = (pid_t (*)(void))found;
	return (void *)not_fork;
}
