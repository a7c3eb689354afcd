/* The file that SLOW_FSYNC_COUNTS names: what the programs that have slow-fsync.so in them did. */
enum { PROGRAMS = 64, NAME = 48 };
enum { FREE, TAKEN, NAMED };

struct counts {
	struct count {
		unsigned state;
		char name[NAME];
		/* How often it was started, and how often it waited for the disk. */
		unsigned long starts, calls;
	} of[PROGRAMS];
};
