/* spawn-driver [-r] [-t SECONDS] FIRST N AT-A-TIME USERS PROGRAM [ARG...]: acts as qmail-send for a qmail-lspawn.
   Requests FIRST deliveries of message 0/1 and then N, with -t more until SECONDS have passed in each phase. AT-A-TIME
   deliveries are in progress at once, to u0@h ... u(USERS-1)@h in turn, or with -r to random users. Prints the rate per
   second of the second and of the first phase, and the number of deliveries; or the first report that is not a success. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT = 4096, COMMAND = 256 };

static int to, from, shuffle;
static long sent, users;

static void die(const char *why) {
	fprintf(stderr, "spawn-driver: fatal: %s\n", why);
	exit(111);
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static pid_t start(char **command) {
	int in[2], out[2];
	if (pipe(in) || pipe(out)) die("unable to make a pipe");
	pid_t pid = fork();
	if (pid == -1) die("unable to fork");
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]), close(in[1]), close(out[0]), close(out[1]);
		execv(command[0], command);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to = in[1];
	from = out[0];
	return pid;
}

static void ask(unsigned char slot) {
	char command[COMMAND];
	long user = (shuffle ? random() : sent) % users;
	int length = snprintf(command + 1, COMMAND - 1, "0/1%cs@example.org%cu%ld@h%c", 0, 0, user, 0);
	command[0] = (char)slot;
	sent++;
	if (write(to, command, (size_t)length + 1) != length + 1) die("unable to write");
}

/* Reads the number of the next delivery reported. */
static unsigned char report(void) {
	static unsigned char buffer[65536];
	static ssize_t got, at;
	static long reported;
	char text[REPORT];
	size_t length = 0;
	int number = -1;
	for (;;) {
		if (at == got) {
			got = read(from, buffer, sizeof buffer);
			at = 0;
			if (got <= 0) die("qmail-lspawn is gone");
		}
		unsigned char byte = buffer[at++];
		if (number < 0) number = byte;
		else if (byte == 0) break;
		else if (length < sizeof text - 1) text[length++] = (char)byte;
	}
	text[length] = 0;
	reported++;
	if (text[0] != 'K') {
		fprintf(stderr, "%ld: %s\n", reported, text);
		exit(1);
	}
	return (unsigned char)number;
}

/* Requests deliveries until `count` are reported and `seconds` have passed. Returns the rate per second. */
static double phase(long count, double seconds) {
	double began = now(), took = 0;
	long done = 0;
	while (done < count || took < seconds) {
		ask(report());
		done++;
		took = now() - began;
	}
	return done ? (double)done / took : 0;
}

int main(int argc, char **argv) {
	double seconds = 0, rate, first;
	unsigned char limit;
	int option, status;
	while ((option = getopt(argc, argv, "+rt:")) != -1) {
		if (option == 'r') shuffle = 1, srandom((unsigned)getpid());
		else if (option == 't') seconds = atof(optarg);
		else return 100;
	}
	argv += optind;
	if (argc - optind < 5) die("usage: spawn-driver [-r] [-t seconds] first n at-a-time users program ...");
	int at = atoi(argv[2]);
	users = atol(argv[3]);
	pid_t pid = start(argv + 4);
	if (read(from, &limit, 1) != 1) die("no limit");
	if (at > limit) at = limit;
	for (int i = 0; i < at; i++) ask((unsigned char)i);
	first = phase(atol(argv[0]), seconds);
	rate = phase(atol(argv[1]), seconds);
	for (int i = 0; i < at; i++) report();
	printf("%.1f %.1f %ld\n", rate, first, sent);
	close(to);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}
