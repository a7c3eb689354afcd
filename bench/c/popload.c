/* popload PORT CONCURRENCY SECONDS USERS PASSWORD: connects to 127.0.0.1 and reads the mail of user0 to userN by POP3 with
   USER, PASS, STAT, LIST, RETR 1 and QUIT, each command after the reply to the one before, again and again. load.h says
   what it prints, of sessions. Any reply but +OK is a failure, and a session that shows no message. */
#include "load.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct sockaddr_in to;
static unsigned users;
static const char *password;

/* Reads a reply up to its end; 1 if it is +OK. With `many`, up to the line with a dot. */
static int reply(int fd, int many) {
	char buf[16384];
	size_t have = 0;
	const char *end = many ? "\r\n.\r\n" : "\r\n";
	size_t length = strlen(end);
	for (;;) {
		ssize_t r = read(fd, buf + have, sizeof buf - have);
		if (r <= 0) return 0;
		have += (size_t)r;
		if (have >= 3 && memcmp(buf, "+OK", 3)) return 0;
		if (have >= length && !memcmp(buf + have - length, end, length)) return 1;
		if (have == sizeof buf) return 0;
	}
}

static int ask(int fd, const char *command, int many) {
	size_t size = strlen(command);
	return write(fd, command, size) == (ssize_t)size && reply(fd, many);
}

static int session(int fd, unsigned user) {
	char line[512];
	if (!reply(fd, 0)) return 0;
	snprintf(line, sizeof line, "USER user%u\r\n", user);
	if (!ask(fd, line, 0)) return 0;
	snprintf(line, sizeof line, "PASS %s\r\n", password);
	if (!ask(fd, line, 0) || !ask(fd, "STAT\r\n", 0) || !ask(fd, "LIST\r\n", 1)) return 0;
	return ask(fd, "RETR 1\r\n", 1) && ask(fd, "QUIT\r\n", 0);
}

static int once(int client, unsigned random) {
	(void)client;
	struct timeval limit = {30, 0};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd == -1) return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	int ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && session(fd, random % users);
	close(fd);
	return ok;
}

int main(int argc, char **argv) {
	if (argc < 6) return fprintf(stderr, "usage: popload port concurrency seconds users password\n"), 100;
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	users = (unsigned)atoi(argv[4]);
	password = argv[5];
	return !load(atoi(argv[2]), atof(argv[3]), 0, 0, once);
}
