/* hostile SOCKET CONNECTIONS SECONDS: a hostile client of qmail-sqld. Of its connections a quarter each sends random
   bytes; begins a long question; sends a question one byte at a time; and sends questions without end and reads no
   response. A connection that is closed is opened again at once. Prints the numbers of connections and bytes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, CHUNK = 10000, TICK = 100 };
enum { RANDOM, HUGE, SLOW, FLOOD, KINDS };

static struct sockaddr_un where = {.sun_family = AF_UNIX};
static char noise[CHUNK], flood[CHUNK];
static struct pollfd fds[MOST];
static int at[MOST];
static long connected, written;

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void join(int i) {
	if (fds[i].fd >= 0) close(fds[i].fd);
	fds[i].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	at[i] = 0;
	if (connect(fds[i].fd, (struct sockaddr *)&where, sizeof where)) {
		close(fds[i].fd);
		fds[i].fd = -1;
		return;
	}
	connected++;
	int kind = i % KINDS;
	fds[i].events = POLLIN | (kind == RANDOM || kind == FLOOD ? POLLOUT : 0);
	if (kind == FLOOD) fds[i].events = POLLOUT;
	if (kind == HUGE) {
		const char *head = i & KINDS ? "99999999:" : "16000:";
		send(fds[i].fd, head, strlen(head), MSG_NOSIGNAL);
	}
}

static void put(int i, const char *s, size_t length) {
	ssize_t n = send(fds[i].fd, s, length, MSG_NOSIGNAL);
	if (n > 0) {
		written += n;
		at[i] += (int)n;
	} else if (errno != EAGAIN) join(i);
}

int main(int argc, char **argv) {
	static const char question[] = "21:findMailboxes\0nobody\0,";
	char gone[CHUNK];
	int n;
	if (argc != 4 || (n = atoi(argv[2])) < 1 || n > MOST || strlen(argv[1]) >= sizeof where.sun_path)
		return fprintf(stderr, "usage: hostile socket connections seconds\n"), 100;
	strcpy(where.sun_path, argv[1]);
	for (size_t i = 0; i < CHUNK; i++) noise[i] = (char)random();
	for (size_t i = 0; i < CHUNK; i++) flood[i] = question[i % (sizeof question - 1)];
	for (int i = 0; i < n; i++) {
		fds[i].fd = -1;
		join(i);
	}
	double until = now() + atof(argv[3]), tick = now();
	while (now() < until) {
		poll(fds, (nfds_t)n, TICK);
		int due = now() >= tick;
		if (due) tick = now() + TICK / 1e3;
		for (int i = 0; i < n; i++) {
			int kind = i % KINDS;
			if (fds[i].fd < 0) {
				if (due) join(i);
			} else if (fds[i].revents & (POLLERR | POLLHUP)) join(i);
			else if (fds[i].revents & POLLIN) {
				if (read(fds[i].fd, gone, sizeof gone) <= 0) join(i);
			} else if (kind == RANDOM && fds[i].revents & POLLOUT) put(i, noise, CHUNK);
			// The next write begins at the byte of the question where this one ends.
			else if (kind == FLOOD && fds[i].revents & POLLOUT)
				put(i, flood + (size_t)at[i] % (sizeof question - 1), CHUNK - sizeof question);
			else if (due && kind == SLOW) put(i, question + (size_t)at[i] % (sizeof question - 1), 1);
			else if (due && kind == HUGE) put(i, noise, 1);
		}
	}
	printf("%ld connections, %ld bytes\n", connected, written);
	return 0;
}
