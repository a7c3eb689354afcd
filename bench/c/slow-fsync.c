/* slow-fsync.so, for LD_PRELOAD: adds SLOW_FSYNC_MS milliseconds of sleep to every call that waits for the disk, and counts
   the call in the file SLOW_FSYNC_COUNTS by the name of the program. Only calls through the C library are seen: the
   count is too low for a program that is statically linked or makes system calls itself. */
#define _GNU_SOURCE
#include "slow-fsync.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct counts *counts;
static struct timespec delay;
static struct count *mine;

/* Each program name has one slot. Programs that start at the same time may find the same free slot. */
static struct count *slot(const char *name) {
	for (int i = 0; i < PROGRAMS; i++) {
		struct count *one = &counts->of[i];
		unsigned expected = FREE;
		if (__atomic_compare_exchange_n(&one->state, &expected, TAKEN, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			strncpy(one->name, name, sizeof one->name - 1);
			__atomic_store_n(&one->state, NAMED, __ATOMIC_RELEASE);
			return one;
		}
		while (__atomic_load_n(&one->state, __ATOMIC_ACQUIRE) != NAMED);
		if (!strncmp(one->name, name, sizeof one->name - 1)) return one;
	}
	return 0;
}

__attribute__((constructor)) static void begin(void) {
	const char *file = getenv("SLOW_FSYNC_COUNTS"), *ms = getenv("SLOW_FSYNC_MS");
	double seconds = ms ? atof(ms) / 1e3 : 0;
	delay.tv_sec = (time_t)seconds;
	delay.tv_nsec = (long)((seconds - (double)delay.tv_sec) * 1e9);
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0) return;
	void *map = mmap(0, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED) return;
	counts = map;
	mine = slot(program_invocation_short_name);
	if (mine) __atomic_add_fetch(&mine->starts, 1, __ATOMIC_RELAXED);
}

static void slow(void) {
	int before = errno;
	if (mine) __atomic_add_fetch(&mine->calls, 1, __ATOMIC_RELAXED);
	if (delay.tv_sec || delay.tv_nsec) {
		struct timespec left = delay;
		while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR);
	}
	errno = before;
}

#define NEXT(name) \
	static __typeof__(&name) next; \
	if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int fsync(int fd) {
	NEXT(fsync);
	slow();
	return next(fd);
}

int fdatasync(int fd) {
	NEXT(fdatasync);
	slow();
	return next(fd);
}

int syncfs(int fd) {
	NEXT(syncfs);
	slow();
	return next(fd);
}

void sync(void) {
	NEXT(sync);
	slow();
	next();
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags) {
	NEXT(sync_file_range);
	if (flags & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER)) slow();
	return next(fd, offset, length, flags);
}

int msync(void *address, size_t length, int flags) {
	NEXT(msync);
	if (flags & MS_SYNC) slow();
	return next(address, length, flags);
}

/* Writes to a file opened with O_SYNC or O_DSYNC. The flags are read each time, since the descriptor may be inherited
   or duplicated. */
static void slow_if_sync(int fd) {
	int before = errno, flags = fcntl(fd, F_GETFL);
	errno = before;
	if (flags != -1 && flags & (O_SYNC | O_DSYNC)) slow();
}

ssize_t write(int fd, const void *data, size_t length) {
	NEXT(write);
	slow_if_sync(fd);
	return next(fd, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
	NEXT(pwrite64);
	slow_if_sync(fd);
	return next(fd, data, length, at);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
	return pwrite64(fd, data, length, at);
}

ssize_t writev(int fd, const struct iovec *vector, int n) {
	NEXT(writev);
	slow_if_sync(fd);
	return next(fd, vector, n);
}

/* Some runtimes use syscall(2) for calls that the C library has no function for. */
long syscall(long number, ...) {
	va_list list;
	long a[6];
	NEXT(syscall);
	va_start(list, number);
	for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_fsync || number == SYS_fdatasync || number == SYS_syncfs) slow();
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
