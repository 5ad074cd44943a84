// What any writer of such rows must do, and nothing more: appends COUNT of the benchmark's results to a table of their columns, 1,666 in a
// transaction, in WAL mode with full synchronisation. With `move` it also moves them to a second table by target, which is the least that
// any history must do in which one target's results lie together. Prints the processor time and the bytes written by one of them.
//
//   append DATABASE COUNT [move]
#include <sqlite3.h>
#include <stdbool.h>
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

enum { perCommit = 1666, commitsAChunk = 600, targets = 100000, rowsAStep = 10000, columns = 11 };

// The history's own, target and time as they stand in the id and beside it.
static const char *const table = " (id INTEGER PRIMARY KEY, offset_ms INTEGER, kind INTEGER, address INTEGER, rest_us INTEGER,"
                                 " dns_us INTEGER, connect_us INTEGER, tls_us INTEGER, processing_us INTEGER, transfer_us INTEGER,"
                                 " lateness_us INTEGER)";

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) fail(db);
    return statement;
}

static void insert_row(sqlite3 *db, sqlite3_stmt *insert, const sqlite3_int64 values[columns]) {
    for(int index = 0; index < columns; index++) sqlite3_bind_int64(insert, index + 1, values[index]);
    if(sqlite3_step(insert) != SQLITE_DONE) fail(db);
    sqlite3_reset(insert);
}

// The rows of `result` that some targets have in the commits of one chunk go to `settled`, by target.
struct row {
    sqlite3_int64 values[columns];
};

static int by_id(const void *a, const void *b) {
    sqlite3_int64 left = ((const struct row *)a)->values[0], right = ((const struct row *)b)->values[0];
    return (left > right) - (left < right);
}

static void move_step(sqlite3 *db, sqlite3_stmt *select, sqlite3_stmt *insert, long chunk, long firstTarget, long endTarget) {
    static struct row rows[4 * rowsAStep];
    int count = 0;
    run(db, "BEGIN IMMEDIATE");
    for(long commit = chunk * commitsAChunk; commit < (chunk + 1) * commitsAChunk; commit++) {
        sqlite3_bind_int64(select, 1, (sqlite3_int64)commit << 32 | firstTarget);
        sqlite3_bind_int64(select, 2, (sqlite3_int64)commit << 32 | endTarget);
        while(sqlite3_step(select) == SQLITE_ROW && count < 4 * rowsAStep) {
            for(int index = 0; index < columns; index++) rows[count].values[index] = sqlite3_column_int64(select, index);
            rows[count].values[0] = (sqlite3_int64)chunk << 32 | (rows[count].values[0] & 0x3fffff) << 10 | commit % 1024;
            count++;
        }
        sqlite3_reset(select);
    }
    qsort(rows, (size_t)count, sizeof *rows, by_id);
    for(int index = 0; index < count; index++) insert_row(db, insert, rows[index].values);
    run(db, "COMMIT");
}

int main(int argc, char **argv) {
    bool isMoving = argc == 4 && strcmp(argv[3], "move") == 0;
    if(argc != 3 && !isMoving) {
        fprintf(stderr, "usage: append DATABASE COUNT [move]\n");
        return 2;
    }
    long count = atol(argv[2]), chunk = 0, nextTarget = 0;
    sqlite3 *db = NULL;
    if(sqlite3_open(argv[1], &db) != SQLITE_OK) fail(db);
    run(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    char sql[1024];
    for(int age = 0; age < 2; age++) {
        snprintf(sql, sizeof sql, "CREATE TABLE %s%s", age ? "settled" : "result", table);
        run(db, sql);
    }
    sqlite3_stmt *insert = prepare(db, "INSERT INTO result VALUES (?,?,?,?,?,?,?,?,?,?,?)");
    sqlite3_stmt *settle = prepare(db, "INSERT INTO settled VALUES (?,?,?,?,?,?,?,?,?,?,?)");
    sqlite3_stmt *select = prepare(db, "SELECT * FROM result WHERE id >= ? AND id < ?");
    uint64_t state = 1;
    double processor = processor_microseconds(), written = written_bytes();
    for(long number = 0; number < count; number++) {
        if(number % perCommit == 0) run(db, "BEGIN IMMEDIATE");
        sqlite3_int64 target = number % targets;
        insert_row(db, insert, (sqlite3_int64[]){
            (sqlite3_int64)(number / perCommit) << 32 | target, number * 3 / 10 % 300000, 0, next(&state) % 2,
            20 + next(&state) % 80, 300 + next(&state) % 1200, 10000 + next(&state) % 15000, 20000 + next(&state) % 25000,
            30000 + next(&state) % 60000, 100 + next(&state) % 400, 100 + next(&state) % 900});
        if(number % perCommit != perCommit - 1 && number != count - 1) continue;
        run(db, "COMMIT");
        // A step after each commit, while there is a chunk that is complete and hasn't been moved.
        if(!isMoving || (number + 1) / perCommit < (chunk + 1) * commitsAChunk) continue;
        long end = nextTarget + (long)rowsAStep * targets / (perCommit * commitsAChunk);
        move_step(db, select, settle, chunk, nextTarget, end);
        nextTarget = end;
        if(nextTarget < targets) continue;
        nextTarget = 0;
        chunk++;
        snprintf(sql, sizeof sql, "DELETE FROM result WHERE id < %lld", (long long)chunk * commitsAChunk << 32);
        run(db, sql);
    }
    sqlite3_finalize(insert);
    sqlite3_finalize(settle);
    sqlite3_finalize(select);
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    printf("{\"results\":%ld,\"processor_us\":%.3f,\"written\":%.1f}\n", count, (processor_microseconds() - processor) / count,
        (written_bytes() - written) / count);
    sqlite3_close(db);
    return 0;
}
