/* askload [-1] [-r RATE] PROTOCOL SOCKET CLIENTS SECONDS PREFIX USERS PASSWORD: sends a daemon on a unix socket requests
   for random users from PREFIX0 to PREFIX(USERS-1). PROTOCOL is
     lookup   qmail-sqld: findMailboxes
     verdict  qmail-sqld: checkRecipient, for the user at the host PASSWORD
     sqld     qmail-sqld: authenticate
     dovecot  Dovecot auth: AUTH PLAIN
     courier  authdaemond: AUTH login
   A client keeps its connection; with -1, and always with authdaemond, each request uses a new one. See load.h for -r
   and the output. Any response that is not positive is a failure. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { TEXT = 4096, SECONDS = 10 };

struct protocol {
	const char *name;
	int keeps;
	int (*greet)(int fd);
	int (*ask)(int fd, const char *user);
};

static const struct protocol *protocol;
static struct sockaddr_un where = {.sun_family = AF_UNIX};
static const char *prefix, *password;
static unsigned users;
static int each, connection[MOST_CLIENTS];

/* Sends the request, then reads into `text` until it ends in `end`. Returns 1, or 0 on failure. */
static int exchange(int fd, const char *question, size_t length, const char *end, char *text) {
	size_t n = 0, tail = strlen(end);
	if (length && send(fd, question, length, MSG_NOSIGNAL) != (ssize_t)length) return 0;
	while (n < TEXT - 1) {
		ssize_t r = read(fd, text + n, TEXT - 1 - n);
		if (r <= 0) return 0;
		n += (size_t)r;
		text[n] = 0;
		if (n >= tail && !memcmp(text + n - tail, end, tail)) return 1;
	}
	return 0;
}

static int sqld(int fd, const char *question, size_t length, const char *yes, size_t yes_length) {
	char framed[TEXT], text[TEXT];
	size_t n = (size_t)snprintf(framed, 16, "%zu:", length);
	memcpy(framed + n, question, length);
	framed[n + length] = ',';
	if (!exchange(fd, framed, n + length + 1, ",", text)) return 0;
	char *payload = strchr(text, ':');
	return payload && !memcmp(payload + 1, yes, yes_length);
}

static int ask_lookup(int fd, const char *user) {
	char question[512], yes[512];
	int n = snprintf(question, sizeof question, "findMailboxes%c%s%c", 0, user, 0);
	int m = snprintf(yes, sizeof yes, "F%s%c", user, 0);
	return sqld(fd, question, (size_t)n, yes, (size_t)m);
}

static int ask_verdict(int fd, const char *user) {
	char question[1024], yes[] = "Fdeliverable";
	int n = snprintf(question, sizeof question, "checkRecipient%c%s@%s%c", 0, user, password, 0);
	return sqld(fd, question, (size_t)n, yes, sizeof yes);
}

static int ask_sqld(int fd, const char *user) {
	char question[1024], yes[512];
	int n = snprintf(question, sizeof question, "authenticate%c%s%c%s%c%c", 0, user, 0, password, 0, 0);
	int m = snprintf(yes, sizeof yes, "Faccepted%c%s%c", 0, user, 0);
	return sqld(fd, question, (size_t)n, yes, (size_t)m);
}

static int ask_courier(int fd, const char *user) {
	char data[1024], question[1200], text[TEXT], yes[512];
	int n = snprintf(data, sizeof data, "pop3\nlogin\n%s\n%s\n", user, password);
	n = snprintf(question, sizeof question, "AUTH %d\n%s", n, data);
	snprintf(yes, sizeof yes, "ADDRESS=%s\n", user);
	return exchange(fd, question, (size_t)n, "\n.\n", text) && strstr(text, yes);
}

static int greet_dovecot(int fd) {
	static int number = 0;
	char hello[64], text[TEXT];
	int n = snprintf(hello, sizeof hello, "VERSION\t1\t2\nCPID\t%d\n", __sync_add_and_fetch(&number, 1) + getpid() * MOST_CLIENTS);
	return exchange(fd, hello, (size_t)n, "DONE\n", text);
}

static void base64(char *to, const unsigned char *s, int n) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (int i = 0; i < n; i += 3) {
		unsigned v = (unsigned)s[i] << 16 | (i + 1 < n ? s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);
		for (int j = 0; j < 4; j++) *to++ = i + j > n ? '=' : digits[v >> (18 - 6 * j) & 63];
	}
	*to = 0;
}

static int ask_dovecot(int fd, const char *user) {
	static unsigned last = 0;
	char plain[512], coded[1024], question[1200], text[TEXT], yes[512];
	unsigned id = __sync_add_and_fetch(&last, 1);
	int n = snprintf(plain, sizeof plain, "%c%s%c%s", 0, user, 0, password);
	base64(coded, (unsigned char *)plain, n);
	n = snprintf(question, sizeof question, "AUTH\t%u\tPLAIN\tservice=pop3\tsecured\tresp=%s\n", id, coded);
	snprintf(yes, sizeof yes, "OK\t%u\tuser=%s", id, user);
	return exchange(fd, question, (size_t)n, "\n", text) && !memcmp(text, yes, strlen(yes));
}

static const struct protocol protocols[] = {
	{"lookup", 1, 0, ask_lookup},
	{"verdict", 1, 0, ask_verdict},
	{"sqld", 1, 0, ask_sqld},
	{"dovecot", 1, greet_dovecot, ask_dovecot},
	{"courier", 0, 0, ask_courier},
};

static int connected(void) {
	struct timeval limit = {SECONDS, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&where, sizeof where) == 0 && (!protocol->greet || protocol->greet(fd))) return fd;
	close(fd);
	return -1;
}

static int once(int client, unsigned random) {
	char user[256];
	int *fd = &connection[client];
	snprintf(user, sizeof user, "%s%u", prefix, random % users);
	if (*fd < 0) *fd = connected();
	int good = *fd >= 0 && protocol->ask(*fd, user);
	if (*fd >= 0 && (each || !good)) {
		close(*fd);
		*fd = -1;
	}
	return good;
}

int main(int argc, char **argv) {
	double rate = 0;
	int option;
	while ((option = getopt(argc, argv, "+1r:")) != -1) {
		if (option == '1') each = 1;
		else if (option == 'r') rate = atof(optarg);
		else return 100;
	}
	argv += optind;
	if (argc - optind != 7 || strlen(argv[1]) >= sizeof where.sun_path || strlen(argv[4]) > 100 || strlen(argv[6]) > 200)
		return fprintf(stderr, "usage: askload [-1] [-r rate] protocol socket clients seconds prefix users password\n"), 100;
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (!strcmp(protocols[i].name, argv[0])) protocol = &protocols[i];
	if (!protocol) return fprintf(stderr, "askload: fatal: no protocol %s\n", argv[0]), 100;
	if (!protocol->keeps) each = 1;
	strcpy(where.sun_path, argv[1]);
	prefix = argv[4];
	users = (unsigned)atoi(argv[5]);
	password = argv[6];
	for (int i = 0; i < MOST_CLIENTS; i++) connection[i] = -1;
	return !load(atoi(argv[2]), atof(argv[3]), 0, rate, once);
}
