/* What getpw.c and checkpassword.c share: control/sqlserver, and questions to the database it names. */

enum { COLUMNS = 7, WIDTH = 256, NAMES = 8 };

struct row {
	char column[COLUMNS][WIDTH];
};

/* Asks `sql` with `n` values; fills at most `max` rows and answers how many. Anything else: exit `soft`. */
int ask(const char *sql, const char *const *values, int n, struct row *rows, int max);

/* Closes the connection. */
void goodbye(void);

/* Says why, with the database's or the system's reason, and exits with `soft`. */
_Noreturn void trouble(const char *what, const char *why);

extern const char *program;
extern int soft;
