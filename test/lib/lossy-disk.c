/* lossy-disk FILE MEGABYTES SEED: mounts (FUSE) a regular file of zeros over FILE, in memory, which behaves as a disk with
   a volatile write cache: a write is read back at once, and is sure to outlive a power failure once a flush (fsync)
   that came after it was answered.
     SIGUSR1  the power fails. Of the 4096-byte blocks written since the last flush none, all or a random half
              outlive it, whatever the order they were written in; every request fails from now on
     SIGUSR2  the power is back
   Ends with the process that started it. Says "ready" when it is mounted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BLOCK = 4096, MOST = 1 << 17 };

struct write {
	struct write *next;
	off_t at;
	size_t length;
	char data[];
};

static char *cached, *durable; /* what is read, and what outlives */
static struct write *first, **last = &first;
static size_t size;
static int device, off;

static void die(const char *why) {
	fprintf(stderr, "lossy-disk: fatal: unable to %s: %s\n", why, strerror(errno));
	exit(111);
}

static void forget(void) {
	while (first) {
		struct write *one = first;
		first = one->next;
		free(one);
	}
	last = &first;
}

static void flush(void) {
	for (struct write *w = first; w; w = w->next) memcpy(durable + w->at, w->data, w->length);
	forget();
}

static void power_fails(void) {
	int kept = (int)(random() % 3); /* none, half, all */
	for (struct write *w = first; w; w = w->next)
		for (size_t i = 0, n; i < w->length; i += n) {
			n = BLOCK - ((size_t)w->at + i) % BLOCK;
			if (n > w->length - i) n = w->length - i;
			if (kept == 2 || (kept == 1 && random() & 1)) memcpy(durable + w->at + i, w->data + i, n);
		}
	forget();
	off = 1;
}

static void power_returns(void) {
	memcpy(cached, durable, size);
	off = 0;
}

static int put(const struct fuse_write_in *in, const char *data) {
	if (in->offset + in->size > size) return -ENOSPC;
	struct write *w = malloc(sizeof *w + in->size);
	if (!w) return -EIO;
	*w = (struct write){0, (off_t)in->offset, in->size};
	memcpy(w->data, data, in->size);
	memcpy(cached + w->at, data, in->size);
	*last = w;
	last = &w->next;
	return 0;
}

static void reply(uint64_t unique, int error, const void *data, size_t length) {
	struct fuse_out_header head = {.len = (uint32_t)(sizeof head + length), .error = error, .unique = unique};
	struct iovec parts[] = {{&head, sizeof head}, {(void *)data, length}};
	if (writev(device, parts, 2) == -1 && errno != ENOENT) die("reply");
}

static struct fuse_attr attributes(void) {
	return (struct fuse_attr){
		.ino = 1, .size = size, .blocks = size / 512, .mode = S_IFREG | 0600, .nlink = 1, .blksize = BLOCK};
}

static void handle(const struct fuse_in_header *head, const void *body) {
	switch (head->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_in *in = body;
		struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
			.minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION,
			.max_readahead = in->max_readahead,
			.flags = FUSE_BIG_WRITES,
			.max_write = MOST};
		return reply(head->unique, 0, &out, sizeof out);
	}
	case FUSE_GETATTR:
	case FUSE_SETATTR: {
		struct fuse_attr_out out = {.attr = attributes()};
		return reply(head->unique, 0, &out, sizeof out);
	}
	case FUSE_OPEN: {
		struct fuse_open_out out = {.open_flags = FOPEN_DIRECT_IO};
		return reply(head->unique, 0, &out, sizeof out);
	}
	case FUSE_READ: {
		const struct fuse_read_in *in = body;
		size_t from = in->offset < size ? in->offset : size, n = in->size < size - from ? in->size : size - from;
		return off ? reply(head->unique, -EIO, 0, 0) : reply(head->unique, 0, cached + from, n);
	}
	case FUSE_WRITE: {
		const struct fuse_write_in *in = body;
		struct fuse_write_out out = {.size = in->size};
		int error = off ? -EIO : put(in, (const char *)(in + 1));
		return error ? reply(head->unique, error, 0, 0) : reply(head->unique, 0, &out, sizeof out);
	}
	case FUSE_FSYNC:
		if (!off) flush();
		return reply(head->unique, off ? -EIO : 0, 0, 0);
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return reply(head->unique, 0, 0, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return reply(head->unique, -ENOSYS, 0, 0);
	}
}

static volatile sig_atomic_t failing, returning;
static void on_signal(int signal) {
	if (signal == SIGUSR1) failing = 1;
	else returning = 1;
}

int main(int argc, char **argv) {
	static char request[MOST + 65536];
	char options[128];
	struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: it ends the read below */
	if (argc != 4) return fprintf(stderr, "usage: lossy-disk file megabytes seed\n"), 100;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &action, 0);
	sigaction(SIGUSR2, &action, 0);
	size = (size_t)atol(argv[2]) << 20;
	srandom((unsigned)atol(argv[3]));
	cached = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	durable = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cached == MAP_FAILED || durable == MAP_FAILED) die("get memory");
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device == -1) die("open /dev/fuse");
	snprintf(options, sizeof options, "fd=%d,rootmode=100600,user_id=0,group_id=0", device);
	if (mount("lossy-disk", argv[1], "fuse", MS_NOSUID | MS_NODEV, options)) die("mount");
	puts("ready");
	fflush(stdout);
	for (;;) {
		ssize_t n = read(device, request, sizeof request);
		int error = n == -1 ? errno : 0;
		if (failing) failing = 0, power_fails();
		if (returning) returning = 0, power_returns();
		if (error == ENODEV) return 0; /* unmounted */
		if (error == EINTR || error == ENOENT || error == EAGAIN) continue;
		if (error) die("read a request");
		handle((const struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
	}
}
