#include "receive.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <string.h>
#include <time.h>

// What a call costs besides its bytes: libcurl reads a proxy's answer one byte at a time.
enum { callBytes = 64 };

static _Thread_local struct {
    bool isOn;
    long left;
    long read;
    int64_t arrival;
} turn;

void rf_turn_begins(long bytes) {
    turn.isOn = true;
    turn.left = bytes;
    turn.read = 0;
    turn.arrival = 0;
}

void rf_turn_ends(void) {
    turn.isOn = false;
}

long rf_turn_takes(void) {
    long read = turn.read;
    turn.read = 0;
    return read;
}

void rf_note_arrivals(int descriptor) {
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

int64_t rf_arrival(void) {
    return turn.arrival;
}

static int64_t noted_arrival(struct msghdr *message) {
    struct timespec time;
    for(struct cmsghdr *note = CMSG_FIRSTHDR(message); note; note = CMSG_NXTHDR(message, note)) {
        if(note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS) continue;
        memcpy(&time, CMSG_DATA(note), sizeof time);
        return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    return 0;
}

// POSIX: the same as recvfrom() without an address.
ssize_t recv(int descriptor, void *buffer, size_t length, int flags) {
    if(turn.isOn && turn.left <= 0) {
        errno = EAGAIN;
        return -1;
    }
    if(!turn.isOn) return recvfrom(descriptor, buffer, length, flags, NULL, NULL);
    struct iovec part = {buffer, length};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } notes;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &notes, .msg_controllen = sizeof notes};
    ssize_t count = recvmsg(descriptor, &message, flags);
    turn.left -= callBytes + (count > 0 ? count : 0);
    // A peek reads nothing.
    if(count > 0 && !(flags & MSG_PEEK)) {
        turn.read += count;
        turn.arrival = noted_arrival(&message);
    }
    return count;
}
