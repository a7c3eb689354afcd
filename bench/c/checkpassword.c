/* checkpassword in straightforward C, for comparison with ours. See lookup.c. */
#define _GNU_SOURCE
#include "lookup.h"
#include <crypt.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REFUSED = 1, MISUSED = 2, LIMIT = 512 };

const char *program = "checkpassword";
int soft = 111;

static const char FIND_LOGIN[] = "SELECT username, uid, gid, home, suspended, password, password_type"
								 " FROM mailbox WHERE username = ? LIMIT 2";

/* login \0 password \0 timestamp \0 */
static void read_login(char *buffer, char **login, char **password) {
	ssize_t n;
	int total = 0;
	while (total <= LIMIT && (n = read(3, buffer + total, (size_t)(LIMIT + 1 - total))) != 0) {
		if (n > 0) total += (int)n;
		else if (errno != EINTR) trouble("read descriptor 3", strerror(errno));
	}
	close(3);
	if (total > LIMIT) exit(REFUSED);
	*login = buffer;
	char *end = memchr(buffer, 0, (size_t)total);
	if (!end) exit(MISUSED);
	*password = end + 1;
	if (!memchr(*password, 0, (size_t)(buffer + total - *password))) exit(MISUSED);
}

static int same(const char *a, const char *b) {
	size_t n = strlen(a);
	unsigned char differs = strlen(b) != n;
	for (size_t i = 0; i < n && !differs; i++) differs |= (unsigned char)(a[i] ^ b[i]);
	return !differs;
}

static int verify(const struct row *row, const char *password) {
	const char *stored = row->column[5], *type = row->column[6];
	if (*stored == 0) return 0;
	if (!strcasecmp(type, "Password")) return same(stored, password);
	if (strcasecmp(type, "Crypt-Password")) return 0;
	const char *hash = crypt(password, stored);
	return hash && same(hash, stored);
}

static void become(const struct row *row) {
	uid_t uid = (uid_t)strtoul(row->column[1], 0, 10);
	gid_t gid = (gid_t)strtoul(row->column[2], 0, 10);
	const char *home = row->column[3];
	if (uid == 0) trouble("become uid 0", "not allowed");
	if (setgroups(1, &gid) || setgid(gid) || setuid(uid)) exit(REFUSED);
	if (chdir(home)) trouble("change to the home directory", strerror(errno));
	if (setenv("USER", row->column[0], 1) || setenv("HOME", home, 1) || setenv("SHELL", "/bin/sh", 1))
		trouble("set the environment", strerror(errno));
}

int main(int argc, char **argv) {
	char buffer[LIMIT + 1], *login, *password;
	struct row rows[2];
	if (argc < 2) return MISUSED;
	read_login(buffer, &login, &password);
	for (char *s = login; *s; s++) *s = *s >= 'A' && *s <= 'Z' ? *s + 32 : *s;
	int found = ask(FIND_LOGIN, (const char *const[]){login}, 1, rows, 2);
	goodbye();
	if (found != 1 || strcasecmp(rows[0].column[0], login) || *rows[0].column[4] == 'Y') return REFUSED;
	if (!verify(&rows[0], password)) return REFUSED;
	become(&rows[0]);
	execvp(argv[1], argv + 1);
	trouble("run the program", strerror(errno));
}
