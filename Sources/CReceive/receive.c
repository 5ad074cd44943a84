#include "receive.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

// What a call costs besides its bytes: libcurl reads a proxy's answer one byte at a time.
enum { callBytes = 64 };

static _Thread_local struct {
    bool isOn;
    long left;
    long read;
} turn;

void rf_turn_begins(long bytes) {
    turn.isOn = true;
    turn.left = bytes;
    turn.read = 0;
}

void rf_turn_ends(void) {
    turn.isOn = false;
}

long rf_turn_takes(void) {
    long read = turn.read;
    turn.read = 0;
    return read;
}

// POSIX: the same as recvfrom() without an address.
ssize_t recv(int descriptor, void *buffer, size_t length, int flags) {
    if(turn.isOn && turn.left <= 0) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t count = recvfrom(descriptor, buffer, length, flags, NULL, NULL);
    if(turn.isOn) {
        turn.left -= callBytes + (count > 0 ? count : 0);
        // A peek reads nothing.
        if(count > 0 && !(flags & MSG_PEEK)) turn.read += count;
    }
    return count;
}
