#include "receive.h"
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
    int64_t began;
} turn;

// The timelines of the calling thread's sockets, by descriptor.
static _Thread_local struct {
    rf_timeline **timelines;
    int count;
    // It waits for the first bytes over a connection that was kept.
    rf_timeline *pending;
} sockets;

static int64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void rf_turn_begins(long bytes) {
    turn.isOn = true;
    turn.left = bytes;
    turn.read = 0;
    turn.began = nanoseconds(CLOCK_MONOTONIC);
}

void rf_turn_ends(void) {
    turn.isOn = false;
    sockets.pending = NULL;
}

long rf_turn_takes(void) {
    long read = turn.read;
    turn.read = 0;
    return read;
}

// The kernel notes by the realtime clock. That clock can be set, also while the machine is suspended; otherwise both clocks go at one pace.
enum { clockJitter = 100000 };

static _Thread_local struct {
    // Monotonic less realtime; 0 before it was measured.
    int64_t offset;
    // The monotonic clock when the realtime clock was last found to have been set.
    int64_t set;
} clocks;

// The two clocks are read one after the other, and a thread that loses its processor in between measures too small an offset.
static void measure_offset(int64_t now) {
    int64_t offset = now - nanoseconds(CLOCK_REALTIME);
    if(llabs(offset - clocks.offset) > clockJitter) {
        now = nanoseconds(CLOCK_MONOTONIC);
        offset = now - nanoseconds(CLOCK_REALTIME);
    }
    if(clocks.offset && llabs(offset - clocks.offset) <= clockJitter) {
        if(offset > clocks.offset) clocks.offset = offset;
        return;
    }
    if(clocks.offset) clocks.set = now;
    clocks.offset = offset;
}

// When what came with these notes had come, by the monotonic clock: 0 when the kernel didn't say, or the clock was set since.
static int64_t noted_arrival(struct msghdr *message, int64_t now) {
    struct timespec time;
    for(struct cmsghdr *note = CMSG_FIRSTHDR(message); note; note = CMSG_NXTHDR(message, note)) {
        if(note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS) continue;
        memcpy(&time, CMSG_DATA(note), sizeof time);
        measure_offset(now);
        int64_t arrival = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec + clocks.offset;
        return arrival < clocks.set ? 0 : arrival > now ? now : arrival;
    }
    return 0;
}

// For a kernel whose clock ticks slowly.
enum { ticksMilliseconds = 10 };

// When the end of a connection had come. The kernel notes no time of it but counts, in its slow ticks, from the last packet.
static int64_t end_arrival(int descriptor, int64_t now) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if(getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return now;
    if(size < offsetof(struct tcp_info, tcpi_last_ack_recv) + sizeof info.tcpi_last_ack_recv) return now;
    if(info.tcpi_last_ack_recv <= ticksMilliseconds) return now;
    return now - (int64_t)info.tcpi_last_ack_recv * 1000000;
}

// When the kernel had the connection; 0 when it doesn't have it or doesn't say.
static int64_t connection_arrival(const rf_timeline *timeline, int64_t now) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if(getsockopt(timeline->descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
    if(size < offsetof(struct tcp_info, tcpi_total_retrans) + sizeof info.tcpi_total_retrans) return 0;
    if(info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_CLOSE) return 0;
    // A round trip begins with the SYN that was answered. Where an earlier one was lost, the connection took longer.
    int64_t at = info.tcpi_total_retrans == 0 ? timeline->opened + (int64_t)info.tcpi_rtt * 1000
                                              : now - (int64_t)info.tcpi_last_ack_recv * 1000000;
    return at < timeline->opened ? timeline->opened : at > now ? now : at;
}

static rf_timeline *timeline_of(int descriptor) {
    return descriptor >= 0 && descriptor < sockets.count ? sockets.timelines[descriptor] : NULL;
}

static void keep(rf_timeline *timeline, int descriptor) {
    rf_timeline_ends(timeline);
    if(descriptor >= sockets.count) {
        int count = descriptor + 64 > sockets.count * 2 ? descriptor + 64 : sockets.count * 2;
        rf_timeline **timelines = realloc(sockets.timelines, (size_t)count * sizeof *timelines);
        if(!timelines) return;
        memset(timelines + sockets.count, 0, (size_t)(count - sockets.count) * sizeof *timelines);
        sockets.timelines = timelines;
        sockets.count = count;
    }
    timeline->descriptor = descriptor;
    sockets.timelines[descriptor] = timeline;
}

void rf_timeline_opens(rf_timeline *timeline, int descriptor) {
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    keep(timeline, descriptor);
    timeline->opened = nanoseconds(CLOCK_MONOTONIC);
    timeline->connected = 0;
    rf_timeline_lap(timeline);
    measure_offset(timeline->opened);
}

static void stands(rf_timeline *timeline, int64_t now) {
    if(!timeline->opened || timeline->connected) return;
    int64_t at = connection_arrival(timeline, now);
    // The thread looked when its turn began; what it did since is its work.
    int64_t noticed = turn.began > timeline->opened ? turn.began : now;
    if(at == 0) at = noticed;
    rf_timeline_connects(timeline, at, turn.began > timeline->opened ? turn.began : at);
}

void rf_timeline_stands(rf_timeline *timeline) {
    stands(timeline, nanoseconds(CLOCK_MONOTONIC));
}

void rf_timeline_requests(rf_timeline *timeline) {
    timeline->awaits_request = true;
    if(timeline->descriptor < 0) sockets.pending = timeline;
}

void rf_timeline_ends(rf_timeline *timeline) {
    if(timeline_of(timeline->descriptor) == timeline) sockets.timelines[timeline->descriptor] = NULL;
    if(sockets.pending == timeline) sockets.pending = NULL;
}

void rf_timeline_restarts(rf_timeline *timeline) {
    rf_timeline_ends(timeline);
    timeline->descriptor = -1;
    rf_timeline_clear(timeline);
}

void rf_timelines_end(void) {
    free(sockets.timelines);
    memset(&sockets, 0, sizeof sockets);
}

// The notes that come with a message.
typedef union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(struct timespec))];
} message_notes;

int64_t rf_timeline_waits_since(const rf_timeline *timeline) {
    if(timeline_of(timeline->descriptor) != timeline) return 0;
    int64_t now = nanoseconds(CLOCK_MONOTONIC);
    if(timeline->opened && !timeline->connected) {
        int64_t at = connection_arrival(timeline, now);
        if(at) return at;
    }
    struct pollfd readiness = {.fd = timeline->descriptor, .events = POLLIN};
    if(poll(&readiness, 1, 0) <= 0) return 0;
    // A peek would take the error from the socket, and libcurl would then hold the connection for one that stands.
    if(readiness.revents & POLLERR) return timeline->deadline;
    char byte;
    struct iovec part = {&byte, 1};
    message_notes notes;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &notes, .msg_controllen = sizeof notes};
    ssize_t count = recvmsg(timeline->descriptor, &message, MSG_PEEK | MSG_DONTWAIT);
    // A connection that is still asked for, too, has nothing to read.
    if(count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOTCONN ? 0 : timeline->deadline;
    int64_t arrival = count > 0 ? noted_arrival(&message, now) : end_arrival(timeline->descriptor, now);
    if(arrival == 0) arrival = timeline->deadline;
    return arrival > timeline->read ? arrival : timeline->read;
}

// What came of a call, to the timeline. errno stays.
static void note_read(rf_timeline *timeline, ssize_t count, struct msghdr *message) {
    int error = errno;
    if(count < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR)) return;
    int64_t now = nanoseconds(CLOCK_MONOTONIC);
    int64_t arrival = count > 0 ? noted_arrival(message, now) : count == 0 ? end_arrival(timeline->descriptor, now) : now;
    rf_timeline_reads(timeline, arrival ? arrival : now, now);
    errno = error;
}

// POSIX: the same as recvfrom() without an address.
ssize_t recv(int descriptor, void *buffer, size_t length, int flags) {
    if(turn.isOn && turn.left <= 0) {
        errno = EAGAIN;
        return -1;
    }
    if(!turn.isOn) return recvfrom(descriptor, buffer, length, flags, NULL, NULL);
    struct iovec part = {buffer, length};
    message_notes notes;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &notes, .msg_controllen = sizeof notes};
    ssize_t count = recvmsg(descriptor, &message, flags);
    turn.left -= callBytes + (count > 0 ? count : 0);
    // A peek reads nothing.
    if(flags & MSG_PEEK) return count;
    if(count > 0) turn.read += count;
    rf_timeline *timeline = timeline_of(descriptor);
    if(timeline) note_read(timeline, count, &message);
    return count;
}

// POSIX: the same as sendto() without an address.
ssize_t send(int descriptor, const void *buffer, size_t length, int flags) {
    if(!turn.isOn) return sendto(descriptor, buffer, length, flags, NULL, 0);
    rf_timeline *timeline = sockets.pending ? sockets.pending : timeline_of(descriptor);
    if(timeline) {
        // Before the bytes go: over loopback the answer can be there when the call comes back.
        int64_t now = nanoseconds(CLOCK_MONOTONIC);
        if(timeline == sockets.pending) {
            keep(timeline, descriptor);
            sockets.pending = NULL;
            rf_timeline_joins(timeline, now);
        }
        stands(timeline, now);
        rf_timeline_sends(timeline, now);
    }
    ssize_t count = sendto(descriptor, buffer, length, flags, NULL, 0);
    if(timeline && count < 0) note_read(timeline, count, NULL);
    return count;
}
