// What any writer of such rows must do, and nothing more: appends COUNT of the benchmark's results to a table of their columns, 1,666 in a
// transaction, in WAL mode with full synchronisation. Prints the processor time and the bytes written by one of them.
//
//   append DATABASE COUNT
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void fail(sqlite3 *db) {
    fprintf(stderr, "append: %s\n", db ? sqlite3_errmsg(db) : "no database");
    exit(1);
}

static void run(sqlite3 *db, const char *sql) {
    if(sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail(db);
}

static double processor_microseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static double written_bytes(void) {
    char line[128];
    double bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while(file && fgets(line, sizeof line, file)) sscanf(line, "wchar: %lf", &bytes);
    if(file) fclose(file);
    return bytes;
}

static uint64_t next(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

int main(int argc, char **argv) {
    if(argc != 3) {
        fprintf(stderr, "usage: append DATABASE COUNT\n");
        return 2;
    }
    long count = atol(argv[2]);
    sqlite3 *db = NULL;
    if(sqlite3_open(argv[1], &db) != SQLITE_OK) fail(db);
    run(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    run(db, "CREATE TABLE result (id INTEGER PRIMARY KEY, target INTEGER, started_at_ms INTEGER, kind INTEGER, address INTEGER,"
            " duration_us INTEGER, dns_us INTEGER, connect_us INTEGER, tls_us INTEGER, processing_us INTEGER, transfer_us INTEGER,"
            " lateness_us INTEGER)");
    sqlite3_stmt *insert = NULL;
    if(sqlite3_prepare_v2(db, "INSERT INTO result VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", -1, &insert, NULL) != SQLITE_OK) fail(db);
    uint64_t state = 1;
    double processor = processor_microseconds(), written = written_bytes();
    for(long id = 1; id <= count; id++) {
        if(id % 1666 == 1) run(db, "BEGIN IMMEDIATE");
        sqlite3_int64 values[] = {
            id, 1 + id % 100000, 1700000000000 + id * 3 / 10, 0, next(&state) % 2, 120000 + next(&state) % 60000,
            300 + next(&state) % 1200, 10000 + next(&state) % 15000, 20000 + next(&state) % 25000, 30000 + next(&state) % 60000,
            100 + next(&state) % 400, 100 + next(&state) % 900};
        for(int index = 0; index < 12; index++) sqlite3_bind_int64(insert, index + 1, values[index]);
        if(sqlite3_step(insert) != SQLITE_DONE) fail(db);
        sqlite3_reset(insert);
        if(id % 1666 == 0 || id == count) run(db, "COMMIT");
    }
    sqlite3_finalize(insert);
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    printf("{\"results\":%ld,\"processor_us\":%.3f,\"written\":%.1f}\n", count, (processor_microseconds() - processor) / count,
        (written_bytes() - written) / count);
    sqlite3_close(db);
    return 0;
}
