// What Swift can't import for the sockets of c-ares: the macros of control messages. No decisions are made here. One module has c-ares and libcurl:
// the types of the system's headers would be those of the one or the other, and Swift finds them by their module.
#pragma once
#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

// Has the kernel note when each datagram comes (SO_TIMESTAMPNS, socket(7)). Where it can't, there is no note.
static inline void rf_dns_note_arrivals(int descriptor) {
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

// Asks the kernel for room for datagrams that come while nobody reads; it gives no more than net.core.rmem_max.
static inline void rf_dns_widen(int descriptor, int bytes) {
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

// A query is one small segment, and waits for no other.
static inline void rf_dns_send_at_once(int descriptor) {
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// recvfrom(), and when the datagram had come: nanoseconds of the realtime clock, 0 when nobody noted it.
static inline ssize_t rf_dns_receive(
    int descriptor, void *buffer, size_t length, int flags, struct sockaddr *from, socklen_t *from_length, int64_t *arrival) {
    struct iovec part = {buffer, length};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } notes;
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_name = from;
    message.msg_namelen = from_length ? *from_length : 0;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &notes;
    message.msg_controllen = sizeof notes;
    *arrival = 0;
    ssize_t count = recvmsg(descriptor, &message, flags);
    if(count < 0) return count;
    if(from_length) *from_length = message.msg_namelen;
    for(struct cmsghdr *note = CMSG_FIRSTHDR(&message); note; note = CMSG_NXTHDR(&message, note)) {
        struct timespec time;
        if(note->cmsg_level != SOL_SOCKET || note->cmsg_type != SO_TIMESTAMPNS) continue;
        memcpy(&time, CMSG_DATA(note), sizeof time);
        *arrival = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    return count;
}

// writev() without a SIGPIPE.
static inline ssize_t rf_dns_send(int descriptor, const struct iovec *parts, int count) {
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = (struct iovec *)parts;
    message.msg_iovlen = (size_t)count;
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}
