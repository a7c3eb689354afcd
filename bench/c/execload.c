/* execload CLIENTS SECONDS USERS PASSWORD PROGRAM [ARG...]: runs PROGRAM, CLIENTS at a time, for random users
   from user0 to user(USERS-1). If PASSWORD is not empty, descriptor 3 contains the login, in the format of checkpassword;
   otherwise the name is appended to the arguments. See load.h for the output. An exit code other than 0 is a failure. */
#define _GNU_SOURCE
#include "load.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS = 16 };

extern char **environ;
static unsigned users;
static const char *password;
static char **command;
static int words;

static int once(int client, unsigned random) {
	(void)client;
	char *argv[ARGS + 2], name[32], input[300];
	int in[2] = {-1, -1}, status = -1;
	pid_t pid;
	posix_spawn_file_actions_t files;
	snprintf(name, sizeof name, "user%u", random % users);
	memcpy(argv, command, sizeof *argv * (size_t)words);
	argv[words] = *password ? 0 : name;
	argv[words + 1] = 0;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (*password) {
		int length = snprintf(input, sizeof input, "%s%c%s%c%c", name, 0, password, 0, 0);
		if (pipe2(in, O_CLOEXEC) || write(in[1], input, (size_t)length) != length) return 0;
		close(in[1]);
		posix_spawn_file_actions_adddup2(&files, in[0], 3);
	}
	if (posix_spawn(&pid, argv[0], &files, 0, argv, environ) == 0) waitpid(pid, &status, 0);
	if (*password) close(in[0]);
	posix_spawn_file_actions_destroy(&files);
	return status == 0;
}

int main(int argc, char **argv) {
	if (argc < 6 || argc - 5 > ARGS || strlen(argv[4]) > 200)
		return fprintf(stderr, "usage: execload clients seconds users password program ...\n"), 100;
	users = (unsigned)atoi(argv[3]);
	password = argv[4];
	command = argv + 5;
	words = argc - 5;
	return !load(atoi(argv[1]), atof(argv[2]), 0, 0, once);
}
