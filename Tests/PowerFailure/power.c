#define _GNU_SOURCE
#include "power.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { descriptorsMax = 4096, filesMax = 16 };

// What isn't durable yet: bytes at an offset, or a length.
struct change {
    struct change *next;
    off64_t offset;
    size_t count;
    bool isTruncation;
    char bytes[];
};

struct file {
    char path[PATH_MAX];
    int durable;
    struct change *first;
    struct change **last;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[filesMax];
// By descriptor: 0 not looked at, -1 none of ours, else the file's place and 1.
static int places[descriptorsMax];

static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static int (*real_ftruncate64)(int, off64_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_close)(int);

__attribute__((constructor)) static void find_real_calls(void) {
    real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate64 = dlsym(RTLD_NEXT, "ftruncate64");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_close = dlsym(RTLD_NEXT, "close");
}

static void give_up(const char *what) {
    fprintf(stderr, "power failure: %s: %s\n", what, strerror(errno));
    abort();
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), own = strlen(end);
    return length >= own && strcmp(text + length - own, end) == 0;
}

// What is there when a file is first written is taken for durable.
static int durable_copy(int descriptor, const char *path) {
    char name[PATH_MAX];
    const char *folder = getenv("RANGEFINDER_DURABLE"), *slash = strrchr(path, '/');
    if(snprintf(name, sizeof name, "%s/%s", folder, slash ? slash + 1 : path) >= (int)sizeof name) give_up("the path");
    int copy = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat64 now, before;
    if(copy < 0 || fstat64(copy, &before) != 0 || fstat64(descriptor, &now) != 0) give_up("opening the copy");
    off64_t offset = 0;
    while(before.st_size == 0 && offset < now.st_size)
        if(sendfile64(copy, descriptor, &offset, (size_t)(now.st_size - offset)) <= 0) give_up("copying");
    return copy;
}

static struct file *file_of(int descriptor) {
    if(descriptor < 0 || descriptor >= descriptorsMax || !getenv("RANGEFINDER_DURABLE")) return NULL;
    if(places[descriptor] < 0) return NULL;
    if(places[descriptor] > 0) return &files[places[descriptor] - 1];
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    places[descriptor] = -1;
    if(!ends_with(path, ".db") && !ends_with(path, "-wal")) return NULL;
    for(int place = 0; place < filesMax; place++) {
        if(files[place].path[0] == 0) {
            strcpy(files[place].path, path);
            files[place].durable = durable_copy(descriptor, path);
            files[place].last = &files[place].first;
        }
        if(strcmp(files[place].path, path) == 0) {
            places[descriptor] = place + 1;
            return &files[place];
        }
    }
    errno = EMFILE;
    give_up("too many files");
    return NULL;
}

static void remember(int descriptor, const void *bytes, size_t count, off64_t offset, bool isTruncation) {
    pthread_mutex_lock(&lock);
    struct file *file = file_of(descriptor);
    if(file) {
        struct change *change = malloc(sizeof *change + (bytes ? count : 0));
        if(!change) give_up("no memory");
        *change = (struct change){NULL, offset, count, isTruncation};
        if(bytes) memcpy(change->bytes, bytes, count);
        *file->last = change;
        file->last = &change->next;
    }
    pthread_mutex_unlock(&lock);
}

static void make_durable(int descriptor) {
    pthread_mutex_lock(&lock);
    struct file *file = file_of(descriptor);
    while(file && file->first) {
        struct change *change = file->first;
        bool isDone = change->isTruncation
            ? real_ftruncate64(file->durable, change->offset) == 0
            : real_pwrite64(file->durable, change->bytes, change->count, change->offset) == (ssize_t)change->count;
        if(!isDone) give_up("writing the copy");
        file->first = change->next;
        free(change);
    }
    if(file) file->last = &file->first;
    pthread_mutex_unlock(&lock);
}

// A database's file is looked at before it is first changed, so that its copy begins with what was there.
static void look(int descriptor) {
    pthread_mutex_lock(&lock);
    file_of(descriptor);
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    look(descriptor);
    ssize_t written = real_pwrite64(descriptor, bytes, count, offset);
    int error = errno;
    if(written > 0) remember(descriptor, bytes, (size_t)written, offset, false);
    errno = error;
    return written;
}

int ftruncate64(int descriptor, off64_t length) {
    look(descriptor);
    int result = real_ftruncate64(descriptor, length);
    int error = errno;
    if(result == 0) remember(descriptor, NULL, 0, length, true);
    errno = error;
    return result;
}

int fdatasync(int descriptor) {
    int result = real_fdatasync(descriptor);
    if(result == 0) make_durable(descriptor);
    return result;
}

int fsync(int descriptor) {
    int result = real_fsync(descriptor);
    if(result == 0) make_durable(descriptor);
    return result;
}

int close(int descriptor) {
    if(descriptor >= 0 && descriptor < descriptorsMax) {
        pthread_mutex_lock(&lock);
        places[descriptor] = 0;
        pthread_mutex_unlock(&lock);
    }
    return real_close(descriptor);
}
