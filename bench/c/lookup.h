/* Used by getpw.c and checkpassword.c: reads control/sqlserver and queries its database. */

enum { COLUMNS = 7, WIDTH = 256, NAMES = 8 };

struct row {
	char column[COLUMNS][WIDTH];
};

/* Asks `sql` with `n` values; stores at most `max` rows and returns their number. Exits `soft` on failure. */
int ask(const char *sql, const char *const *values, int n, struct row *rows, int max);

/* Closes the connection. */
void goodbye(void);

/* Prints the error, with the reason from the database or the system, and exits `soft`. */
_Noreturn void trouble(const char *what, const char *why);

extern const char *program;
extern int soft;
