/* Database access of getpw.c and checkpassword.c: SQLite with -DSQLITE, otherwise MariaDB. One connection per process. */
#include "lookup.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef SQLITE
#include <sqlite3.h>
#else
#include <mariadb/mysql.h>
#endif

_Noreturn void trouble(const char *what, const char *why) {
	fprintf(stderr, "%s: fatal: unable to %s: %s\n", program, what, why);
	exit(soft);
}

struct config {
	char server[WIDTH], login[WIDTH], password[WIDTH], db[WIDTH];
	unsigned int port, timeout;
};

static void keep(char *into, const char *value) {
	if (strlen(value) >= WIDTH) trouble("use control/sqlserver", "a value is too long");
	strcpy(into, value);
}

static struct config read_config(void) {
	struct config c = {.server = "localhost", .timeout = 5};
	const char *home = getenv("QMAIL_HOME");
	char file[4096], line[1024];
	snprintf(file, sizeof file, "%s/control/sqlserver", home ? home : "/var/qmail");
	FILE *f = fopen(file, "re");
	if (!f) trouble("read control/sqlserver", strerror(errno));
	while (fgets(line, sizeof line, f)) {
		char *key = line + strspn(line, " \t");
		key[strcspn(key, "\r\n")] = 0;
		if (*key == 0 || *key == '#') continue;
		size_t length = strcspn(key, " \t=");
		char *value = key + length;
		value += strspn(value, " \t");
		if (*value == '=') value++;
		value += strspn(value, " \t");
		key[length] = 0;
		if (!strcmp(key, "server")) keep(c.server, value);
		else if (!strcmp(key, "login")) keep(c.login, value);
		else if (!strcmp(key, "password")) keep(c.password, value);
		else if (!strcmp(key, "db")) keep(c.db, value);
		else if (!strcmp(key, "port")) c.port = strtoul(value, 0, 10);
		else if (!strcmp(key, "timeout")) c.timeout = strtoul(value, 0, 10);
	}
	if (ferror(f)) trouble("read control/sqlserver", strerror(errno));
	fclose(f);
	return c;
}

#ifdef SQLITE

static sqlite3 *db;

int ask(const char *sql, const char *const *values, int n, struct row *rows, int max) {
	sqlite3_stmt *statement;
	int got = 0, status;
	if (!db) {
		struct config c = read_config();
		if (sqlite3_open_v2(c.db, &db, SQLITE_OPEN_READONLY, 0) != SQLITE_OK)
			trouble("open the database", sqlite3_errmsg(db));
		sqlite3_busy_timeout(db, (int)c.timeout * 1000);
	}
	if (sqlite3_prepare_v2(db, sql, -1, &statement, 0) != SQLITE_OK)
		trouble("query the database", sqlite3_errmsg(db));
	for (int i = 0; i < n; i++) sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_STATIC);
	while (got < max && (status = sqlite3_step(statement)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement) && i < COLUMNS; i++) {
			const char *text = (const char *)sqlite3_column_text(statement, i);
			keep(rows[got].column[i], text ? text : "");
		}
		got++;
	}
	if (got < max && status != SQLITE_DONE) trouble("query the database", sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	return got;
}

void goodbye(void) {
	sqlite3_close(db);
}

#else

static MYSQL *connected(void) {
	static MYSQL *mysql;
	if (mysql) return mysql;
	struct config c = read_config();
	mysql = mysql_init(0);
	if (!mysql) trouble("connect to the database", "out of memory");
	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &c.timeout);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &c.timeout);
	mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &c.timeout);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	const char *socket = c.server[0] == '/' ? c.server : 0;
	if (!mysql_real_connect(mysql, socket ? 0 : c.server, c.login, c.password, c.db, c.port, socket, 0))
		trouble("connect to the database", mysql_error(mysql));
	return mysql;
}

int ask(const char *sql, const char *const *values, int n, struct row *rows, int max) {
	MYSQL_STMT *statement = mysql_stmt_init(connected());
	MYSQL_BIND in[NAMES] = {0}, out[COLUMNS] = {0};
	unsigned long length[COLUMNS];
	my_bool null[COLUMNS], cut[COLUMNS];
	struct row row;
	int got = 0, status = 0;
	if (!statement) trouble("query the database", "out of memory");
	if (mysql_stmt_prepare(statement, sql, strlen(sql))) goto failed;
	for (int i = 0; i < n; i++) {
		in[i].buffer_type = MYSQL_TYPE_STRING;
		in[i].buffer = (void *)values[i];
		in[i].buffer_length = strlen(values[i]);
	}
	if (n && mysql_stmt_bind_param(statement, in)) goto failed;
	int columns = mysql_stmt_field_count(statement);
	for (int i = 0; i < columns && i < COLUMNS; i++) {
		out[i].buffer_type = MYSQL_TYPE_STRING;
		out[i].buffer = row.column[i];
		out[i].buffer_length = WIDTH - 1;
		out[i].length = &length[i];
		out[i].is_null = &null[i];
		out[i].error = &cut[i];
	}
	if (mysql_stmt_bind_result(statement, out) || mysql_stmt_execute(statement)) goto failed;
	while (got < max && (status = mysql_stmt_fetch(statement)) == 0) {
		for (int i = 0; i < columns && i < COLUMNS; i++) row.column[i][null[i] ? 0 : length[i]] = 0;
		rows[got++] = row;
	}
	if (status == MYSQL_DATA_TRUNCATED) trouble("query the database", "a value is too long");
	if (status == 1) goto failed;
	mysql_stmt_close(statement);
	return got;
failed:
	trouble("query the database", mysql_stmt_error(statement));
}

/* Without COM_QUIT the server logs an aborted connection. */
void goodbye(void) {
	mysql_close(connected());
	mysql_library_end();
}

#endif
