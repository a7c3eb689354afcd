/* smtpload PORT CONCURRENCY SECONDS MESSAGES SIZE RECIPIENT: repeats sessions with 127.0.0.1. A session sends MESSAGES
   messages of SIZE bytes and QUIT, each command after the reply to the last one. See load.h for the output, which counts
   sessions. A reply whose first digit is not the expected one is a failure. */
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
static int messages;
static char rcpt[512], *text;
static size_t length;

static int put(int fd, const char *what, size_t size) {
	while (size > 0) {
		ssize_t w = write(fd, what, size);
		if (w <= 0) return 0;
		what += w, size -= (size_t)w;
	}
	return 1;
}

/* Reads a reply to its last line. Returns 1 if it begins with this digit. */
static int reply(int fd, char digit) {
	char buf[4096];
	size_t have = 0;
	for (;;) {
		ssize_t r = read(fd, buf + have, sizeof buf - have);
		if (r <= 0) return 0;
		have += (size_t)r;
		char *line = buf;
		for (char *end; (end = memchr(line, '\n', have - (size_t)(line - buf))); line = end + 1)
			if (end - line >= 4 && line[3] == ' ') return line[0] == digit;
		if (have == sizeof buf) return 0;
	}
}

static int ask(int fd, const char *command, char digit) {
	return put(fd, command, strlen(command)) && reply(fd, digit);
}

static int session(int fd) {
	if (!reply(fd, '2') || !ask(fd, "HELO client.example\r\n", '2')) return 0;
	for (int i = 0; i < messages; i++) {
		if (!ask(fd, "MAIL FROM:<sender@client.example>\r\n", '2') || !ask(fd, rcpt, '2')) return 0;
		if (!ask(fd, "DATA\r\n", '3') || !put(fd, text, length) || !reply(fd, '2')) return 0;
	}
	return ask(fd, "QUIT\r\n", '2');
}

static int once(int client, unsigned random) {
	(void)client, (void)random;
	struct timeval limit = {30, 0};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd == -1) return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	int ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && session(fd);
	close(fd);
	return ok;
}

int main(int argc, char **argv) {
	if (argc < 7) return fprintf(stderr, "usage: smtpload port concurrency seconds messages size recipient\n"), 100;
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	messages = atoi(argv[4]);
	snprintf(rcpt, sizeof rcpt, "RCPT TO:<%s>\r\n", argv[6]);
	size_t size = (size_t)atol(argv[5]);
	const char *head = "From: <sender@client.example>\r\nSubject: load\r\n\r\n";
	const char *line = "0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
	text = malloc(size + 256);
	strcpy(text, head);
	for (length = strlen(head); length < size; length += strlen(line)) strcpy(text + length, line);
	strcpy(text + length, ".\r\n");
	length += 3;
	return !load(atoi(argv[2]), atof(argv[3]), 0, 0, once);
}
