/* discard-queue: replaces qmail-queue; reads the message and the envelope, and discards them. On x86-64 without the C
   library, whose start takes longer than the rest: what is measured is the program that runs it. */
enum { SIZE = 65536, READ = 0, EXIT = 60 };

static char buf[SIZE];

#if defined __x86_64__ && defined __linux__
static long call(long number, long a, long b, long c) {
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

void _start(void) {
	for (int fd = 0; fd < 2; fd++)
		while (call(READ, fd, (long)buf, SIZE) > 0);
	for (;;) call(EXIT, 0, 0, 0);
}
#else
#include <unistd.h>

int main(void) {
	for (int fd = 0; fd < 2; fd++)
		while (read(fd, buf, SIZE) > 0);
	return 0;
}
#endif
