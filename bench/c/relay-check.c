/* relay-check SOCKET USER PASSWORD DATABASE PROGRAM...: a small C program in place of tcpserver-sql -S, for
   comparison: one connection to the database, one lookup and one exec for each client. */
#include <mariadb/mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char ip[128], query[256];
  const char *remote = getenv("TCPREMOTEIP");
  if (argc < 6 || !remote || strlen(remote) > 45) return 100;
  MYSQL *db = mysql_init(0);
  if (mysql_real_connect(db, 0, argv[2], argv[3], argv[4], 0, argv[1], 0)) {
    mysql_real_escape_string(db, ip, remote, strlen(remote));
    snprintf(query, sizeof query,
             "SELECT timestamp FROM relay WHERE ip_addr='%s' AND timestamp>(UNIX_TIMESTAMP()-1800)", ip);
    if (mysql_query(db, query) == 0) {
      MYSQL_RES *rows = mysql_store_result(db);
      if (rows && mysql_num_rows(rows) > 0) setenv("RELAYCLIENT", "", 1);
      mysql_free_result(rows);
    }
  }
  mysql_close(db);
  execvp(argv[5], argv + 5);
  return 111;
}
