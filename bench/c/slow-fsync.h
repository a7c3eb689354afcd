/* The format of the file SLOW_FSYNC_COUNTS: the counts of programs that run with slow-fsync.so. */
enum { PROGRAMS = 64, NAME = 48 };
enum { FREE, TAKEN, NAMED };

struct counts {
	struct count {
		unsigned state;
		char name[NAME];
		/* Number of starts, and of calls that waited for the disk. */
		unsigned long starts, calls;
	} of[PROGRAMS];
};
