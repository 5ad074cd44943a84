// The resolver of scripts/bench: a name server over UDP that knows the targets' names and nothing else, and answers at once, so that
// a hundred thousand targets by name cost the two cores little besides what the daemon spends. It runs where port 53 of 127.0.0.1 is
// free: in the bench's own network namespace.
//
//   names [PORT]      by default 53
//
// hN.bench.test has the one A record 127.0.0.X with X = 2 + N mod 16 and no AAAA record; every other name doesn't exist (RFC 1035).
// SIGTERM ends it. Answers nothing to what is no query of one question.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { batch = 64, packet_max = 512, head_bytes = 12, type_a = 1, class_in = 1, no_such_name = 3, addresses = 16 };

typedef struct {
    unsigned char bytes[packet_max];
    struct sockaddr_in from;
    struct iovec vector;
} Packet;

static uint16_t number_at(const unsigned char *bytes) {
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

// Where the question's name ends, and the name with dots in `text`; 0 when it is none.
static size_t read_name(const unsigned char *bytes, size_t length, size_t place, char *text, size_t room) {
    size_t used = 0;
    while (place < length && bytes[place] != 0) {
        size_t label = bytes[place];
        if (label > 63 || place + 1 + label >= length || used + label + 2 > room) return 0;
        if (used) text[used++] = '.';
        memcpy(text + used, bytes + place + 1, label);
        used += label;
        place += 1 + label;
    }
    text[used] = 0;
    return place < length ? place + 1 : 0;
}

// N of hN.bench.test, or -1.
static long number_of_name(const char *name) {
    char *end;
    if (name[0] != 'h' && name[0] != 'H') return -1;
    if (name[1] < '0' || name[1] > '9') return -1;
    long number = strtol(name + 1, &end, 10);
    return strcasecmp(end, ".bench.test") == 0 ? number : -1;
}

// Turns a query into its answer, in place; returns the answer's length, or 0 for none.
static size_t answer(unsigned char *bytes, size_t length) {
    char name[256];
    if (length < head_bytes || bytes[2] & 0xf8 || number_at(bytes + 4) != 1) return 0;
    size_t end = read_name(bytes, length, head_bytes, name, sizeof name);
    if (!end || end + 4 > length || end + 4 + 16 > packet_max) return 0;
    int type = number_at(bytes + end), class = number_at(bytes + end + 2);
    long number = number_of_name(name);
    int has_address = number >= 0 && type == type_a && class == class_in;
    // An answer, with authority, recursion as it was asked for and available.
    bytes[2] = (unsigned char)(0x84 | (bytes[2] & 1));
    bytes[3] = (unsigned char)(0x80 | (number < 0 ? no_such_name : 0));
    memset(bytes + 6, 0, 6);
    bytes[7] = (unsigned char)has_address;
    size_t place = end + 4;
    if (!has_address) return place;
    const unsigned char record[16] = {0xc0, head_bytes, 0, type_a, 0, class_in, 0, 0, 0, 1, 0, 4, 127, 0, 0,
        (unsigned char)(2 + number % addresses)};
    memcpy(bytes + place, record, sizeof record);
    return place + sizeof record;
}

int main(int argc, char **argv) {
    static Packet packets[batch];
    static struct mmsghdr received[batch], sent[batch];
    int port = argc > 1 ? atoi(argv[1]) : 53, descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&here, sizeof here) != 0) {
        perror("names: bind");
        return 1;
    }
    for (;;) {
        for (int index = 0; index < batch; index++) {
            packets[index].vector = (struct iovec){packets[index].bytes, packet_max};
            received[index].msg_hdr = (struct msghdr){.msg_name = &packets[index].from, .msg_namelen = sizeof packets[index].from,
                .msg_iov = &packets[index].vector, .msg_iovlen = 1};
        }
        int count = recvmmsg(descriptor, received, batch, MSG_WAITFORONE, NULL), answers = 0;
        for (int index = 0; index < count; index++) {
            size_t length = answer(packets[index].bytes, received[index].msg_len);
            if (!length) continue;
            packets[index].vector.iov_len = length;
            sent[answers++].msg_hdr = received[index].msg_hdr;
        }
        // What the client's buffer has no room for is lost, as datagrams are; it asks again.
        if (answers) (void)!sendmmsg(descriptor, sent, (unsigned)answers, 0);
    }
}
