/* popload PORT CONCURRENCY SECONDS USERS PASSWORD [tls]: connects to 127.0.0.1 and reads the mail of user0 to userN by POP3 with
   USER, PASS, STAT, LIST, RETR 1 and QUIT, each command after the reply to the one before, again and again. load.h says
   what it prints, of sessions. With tls, TLS begins at once, with a full handshake for each session. Any reply but +OK is a failure, and a session that shows no message. */
#include "load.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct sockaddr_in to;
static unsigned users;
static const char *password;
static SSL_CTX *tls;

/* A connection; ssl is 0 without TLS. */
struct peer {
	int fd;
	SSL *ssl;
};

static ssize_t get(struct peer *p, char *to, size_t size) {
	return p->ssl ? SSL_read(p->ssl, to, (int)size) : read(p->fd, to, size);
}

static int put(struct peer *p, const char *what, size_t size) {
	return (p->ssl ? SSL_write(p->ssl, what, (int)size) : write(p->fd, what, size)) == (ssize_t)size;
}

/* Reads a reply up to its end; 1 if it is +OK. With `many`, up to the line with a dot. */
static int reply(struct peer *p, int many) {
	char buf[16384];
	size_t have = 0;
	const char *end = many ? "\r\n.\r\n" : "\r\n";
	size_t length = strlen(end);
	for (;;) {
		ssize_t r = get(p, buf + have, sizeof buf - have);
		if (r <= 0) return 0;
		have += (size_t)r;
		if (have >= 3 && memcmp(buf, "+OK", 3)) return 0;
		if (have >= length && !memcmp(buf + have - length, end, length)) return 1;
		if (have == sizeof buf) return 0;
	}
}

static int ask(struct peer *p, const char *command, int many) {
	return put(p, command, strlen(command)) && reply(p, many);
}

static int session(struct peer *p, unsigned user) {
	char line[512];
	if (!reply(p, 0)) return 0;
	snprintf(line, sizeof line, "USER user%u\r\n", user);
	if (!ask(p, line, 0)) return 0;
	snprintf(line, sizeof line, "PASS %s\r\n", password);
	if (!ask(p, line, 0) || !ask(p, "STAT\r\n", 0) || !ask(p, "LIST\r\n", 1)) return 0;
	return ask(p, "RETR 1\r\n", 1) && ask(p, "QUIT\r\n", 0);
}

static int once(int client, unsigned random) {
	(void)client;
	struct timeval limit = {30, 0};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd == -1) return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	struct peer p = {fd, 0};
	int ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
	if (ok && tls) {
		p.ssl = SSL_new(tls);
		ok = SSL_set_fd(p.ssl, fd) && SSL_connect(p.ssl) == 1;
	}
	ok = ok && session(&p, random % users);
	if (p.ssl) SSL_free(p.ssl);
	close(fd);
	return ok;
}

int main(int argc, char **argv) {
	if (argc < 6) return fprintf(stderr, "usage: popload port concurrency seconds users password [tls]\n"), 100;
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	users = (unsigned)atoi(argv[4]);
	password = argv[5];
	if (argc > 6) {
		tls = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	}
	return !load(atoi(argv[2]), atof(argv[3]), 0, 0, once);
}
