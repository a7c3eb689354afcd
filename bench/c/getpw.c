/* qmail-getpw in straightforward C, for comparison with ours. See lookup.c. */
#include "lookup.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOCAL = 1024, GETPW_USERLEN = 32 };

const char *program = "qmail-getpw";
int soft = 118;

static const char FIND_MAILBOXES[] =
	"SELECT username, uid, gid, home, suspended FROM mailbox WHERE username IN (?, ?, ?, ?, ?, ?, ?, ?)";

static const char FIND_VIRTUAL_HOSTS[] =
	"SELECT DISTINCT virtual_host FROM `virtual` WHERE virtual_host IN (?, ?, ?, ?, ?, ?, ?, ?)";

static void lower(char *s) {
	for (; *s; s++) *s = *s >= 'A' && *s <= 'Z' ? *s + 32 : *s;
}

static int usable(unsigned long uid, const char *home) {
	struct stat st;
	if (uid == 0) return 0;
	if (stat(home, &st) == 0) return st.st_uid == uid;
	if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ELOOP) exit(115);
	return 0;
}

static int print(const char *user, const char *uid, const char *gid, const char *home, const char *dash,
	const char *ext) {
	const char *field[] = {user, uid, gid, home, dash, ext};
	for (int i = 0; i < 6; i++) {
		fputs(field[i], stdout);
		putchar(0);
	}
	return fflush(stdout) ? soft : 0;
}

static int print_account(const struct passwd *pw, const char *dash, const char *ext) {
	char uid[16], gid[16];
	snprintf(uid, sizeof uid, "%u", (unsigned)pw->pw_uid);
	snprintf(gid, sizeof gid, "%u", (unsigned)pw->pw_gid);
	return print(pw->pw_name, uid, gid, pw->pw_dir, dash, ext);
}

/* Local parts that begin with a virtual host are not measured, but the lookup that finds none is. */
static void check_virtual(const char *local) {
	static char hosts[NAMES][LOCAL];
	const char *values[NAMES];
	struct row rows[NAMES];
	int n = 0;
	for (int at = (int)strlen(local) - 1; at > 0 && n < NAMES; at--) {
		if (local[at] != '-') continue;
		memcpy(hosts[n], local, (size_t)at);
		hosts[n][at] = 0;
		lower(hosts[n++]);
	}
	if (n == 0) return;
	for (int i = 0; i < NAMES; i++) values[i] = hosts[i < n ? i : 0];
	if (ask(FIND_VIRTUAL_HOSTS, values, NAMES, rows, NAMES)) trouble("look up the address", "its host is virtual");
}

/* Asks for as many names as one statement takes, the longest first; the row of the longest name is used. */
static int find(char names[][LOCAL], int n, struct row *found, int *which) {
	const char *values[NAMES];
	struct row rows[NAMES];
	for (int i = 0; i < NAMES; i++) values[i] = names[i < n ? i : 0];
	int got = ask(FIND_MAILBOXES, values, NAMES, rows, NAMES);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < got; j++) {
			char name[WIDTH];
			strcpy(name, rows[j].column[0]);
			lower(name);
			if (strcmp(name, names[i])) continue;
			*found = rows[j];
			*which = i;
			return 1;
		}
	return 0;
}

/* The names that `local` can begin with, the longest first, from length *at downwards. */
static int next_names(const char *local, int *at, char names[][LOCAL]) {
	int n = 0;
	for (; *at > 0 && n < NAMES; --*at) {
		if (local[*at] != 0 && local[*at] != '-') continue;
		memcpy(names[n], local, (size_t)*at);
		names[n][*at] = 0;
		lower(names[n++]);
	}
	return n;
}

int main(int argc, char **argv) {
	static char names[NAMES][LOCAL];
	struct row row;
	struct passwd *pw;
	int n, which;
	if (argc < 2) return 100;
	const char *local = argv[1];
	if (strlen(local) >= LOCAL) trouble("look up the address", "it is too long");
	int length = (int)strlen(local), at = length, found = 0;

	check_virtual(local);
	while (!found && (n = next_names(local, &at, names))) found = find(names, n, &row, &which);
	goodbye();
	if (found) {
		const char *rest = local + strlen(names[which]);
		if (usable(strtoul(row.column[1], 0, 10), row.column[3]))
			return print(row.column[0], row.column[1], row.column[2], row.column[3], *rest ? "-" : "",
				*rest ? rest + 1 : "");
	} else {
		at = length;
		while ((n = next_names(local, &at, names)))
			for (int i = 0; i < n; i++) {
				const char *rest = local + strlen(names[i]);
				if (strlen(names[i]) >= GETPW_USERLEN || !(pw = getpwnam(names[i]))) continue;
				if (usable(pw->pw_uid, pw->pw_dir)) return print_account(pw, *rest ? "-" : "", *rest ? rest + 1 : "");
			}
	}
	if (!(pw = getpwnam("alias"))) return 116;
	return print_account(pw, "-", local);
}
