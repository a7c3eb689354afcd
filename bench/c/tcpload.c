/* tcpload PORT CONCURRENCY SECONDS [COUNT]: repeatedly connects to 127.0.0.1 and reads to the end.
   See load.h for the output. A connection on which nothing is received is a failure. */
#include "load.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct sockaddr_in to;

static int once(int client, unsigned random) {
	(void)client, (void)random;
	char buf[4096];
	struct timeval limit = {30, 0};
	long total = 0;
	ssize_t r;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd == -1) return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == -1) return close(fd), 0;
	while ((r = read(fd, buf, sizeof buf)) > 0) total += r;
	close(fd);
	return r == 0 && total > 0;
}

int main(int argc, char **argv) {
	if (argc < 4) return fprintf(stderr, "usage: tcpload port concurrency seconds [count]\n"), 100;
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return !load(atoi(argv[2]), atof(argv[3]), argc > 4 ? atol(argv[4]) : 0, 0, once);
}
