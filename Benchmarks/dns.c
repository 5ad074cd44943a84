// The name server at a distance: a DNS server over UDP and TCP whose answers take a given time and of whose queries a given share is
// lost, so that scripts/bench can look up a hundred thousand names as if the resolver were in another room. Benchmarks/names.c is for
// names that should cost nothing. One thread, epoll.
//
//   dns PORT DELAY-MS LOST-PERCENT TTL-S [SUFFIX]      listens on 127.0.0.1; SUFFIX is bench.test where it isn't given
//
// It knows names of one letter and a number N right under the suffix, and answers with addresses of loopback, X being 2 + N mod 16:
//   hN      A 127.0.0.X                       no AAAA record
//   dN      A 127.0.0.X                       AAAA ::1
//   vN      no A record                       AAAA ::1
//   mN      A 127.0.0.2 to 127.0.0.17         no AAAA record
//   tN      as hN, but over UDP only a truncated answer, so that the query comes again over TCP
// Other names under the suffix don't exist; the rest is refused. Answers without a record have the SOA record that RFC 2308 asks for.
//
// The delay is counted from the reading of a query. A lost query gets no answer; over TCP nothing is lost.
// SIGUSR1: prints what was counted. SIGTERM: the same, and ends. Prints "ready" once it listens. A line of counts is
//   queries=N a=N aaaa=N other=N tcp=N answered=N lost=N unknown=N refused=N malformed=N overflow=N
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    batch = 64, query_max = 512, answer_max = 1024, head_bytes = 12, addresses = 16, events_per_turn = 64,
    connections_max = 1024, descriptors_max = 4096, pending_max = 65536,
};
enum { type_a = 1, type_soa = 6, type_aaaa = 28, class_in = 1, no_such_name = 3, refused = 5 };

typedef struct {
    uint64_t queries, a, aaaa, other, tcp, answered, lost, unknown, refused, malformed, overflow;
} Counts;

// The delay is the same for all, so answers fall due in the order in which queries were read.
typedef struct {
    uint64_t due_ns;
    struct sockaddr_in to;
    // The connection and its generation, or -1 for UDP.
    int connection;
    uint32_t generation;
    uint16_t length;
    unsigned char bytes[answer_max];
} Pending;

typedef struct {
    uint32_t generation;
    uint16_t used;
    int is_open;
    // A length of two bytes, and a query.
    unsigned char bytes[2 + query_max];
} Connection;

static Pending *pending;
static uint64_t pending_first, pending_end;
static Connection *connections[descriptors_max];
static int open_connections, udp, listener, epoll_descriptor;
static Counts counts;
static uint64_t delay_ns;
static double lost_share;
static uint32_t time_to_live;
static const char *suffix = "bench.test";

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

// The same queries are lost in each run that asks the same: xorshift64*, from a fixed seed.
static int is_lost(void) {
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(state * 0x2545f4914f6cdd1d >> 11) / (double)(1ull << 53) < lost_share;
}

static uint16_t number_at(const unsigned char *bytes) {
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put16(unsigned char *bytes, unsigned value) {
    bytes[0] = (unsigned char)(value >> 8);
    bytes[1] = (unsigned char)value;
}

static void put32(unsigned char *bytes, uint32_t value) {
    put16(bytes, value >> 16);
    put16(bytes + 2, value & 0xffff);
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

// Where the suffix begins in the text, which is also its place in the question counted from the first label; -1 when it isn't there.
static long suffix_place(const char *name) {
    size_t length = strlen(name), wanted = strlen(suffix);
    if (length < wanted || strcasecmp(name + length - wanted, suffix) != 0) return -1;
    if (length > wanted && name[length - wanted - 1] != '.') return -1;
    return (long)(length - wanted);
}

// The letter of a name that is known, and its number; 0 for the others.
static char known_name(const char *name, long place, unsigned long *number) {
    char letter = (char)(name[0] | 0x20), *end;
    if (place < 3 || !strchr("hdvmt", letter) || name[1] < '0' || name[1] > '9') return 0;
    *number = strtoul(name + 1, &end, 10);
    return end == name + place - 1 ? letter : 0;
}

static size_t put_record(unsigned char *bytes, unsigned owner, unsigned type, const void *data, size_t length) {
    put16(bytes, 0xc000 | owner);
    put16(bytes + 2, type);
    put16(bytes + 4, class_in);
    put32(bytes + 6, time_to_live);
    put16(bytes + 10, (unsigned)length);
    memcpy(bytes + 12, data, length);
    return 12 + length;
}

static size_t put_addresses(unsigned char *bytes, size_t place, char letter, unsigned long number, int type) {
    size_t start = place;
    if (type == type_a && letter != 'v') {
        int times = letter == 'm' ? addresses : 1;
        for (int index = 0; index < times; index++) {
            unsigned char address[4] = {127, 0, 0, (unsigned char)(2 + (letter == 'm' ? (unsigned)index : number % addresses))};
            place += put_record(bytes + place, head_bytes, type_a, address, sizeof address);
        }
        put16(bytes + 6, (unsigned)times);
    } else if (type == type_aaaa && (letter == 'd' || letter == 'v')) {
        place += put_record(bytes + place, head_bytes, type_aaaa, &in6addr_loopback, sizeof in6addr_loopback);
        put16(bytes + 6, 1);
    }
    return place - start;
}

// Turns a query into its answer, in place, where there is room for answer_max bytes; returns the answer's length, or 0 for none.
static size_t answer(unsigned char *bytes, size_t length, int is_udp) {
    char name[256];
    if (length < head_bytes || bytes[2] & 0xf8 || number_at(bytes + 4) != 1) return 0;
    size_t place = read_name(bytes, length, head_bytes, name, sizeof name);
    if (!place || place + 4 > length) return 0;
    int type = number_at(bytes + place), class = number_at(bytes + place + 2);
    place += 4;
    counts.queries++;
    *(type == type_a ? &counts.a : type == type_aaaa ? &counts.aaaa : &counts.other) += 1;
    // An answer, with authority, recursion as it was asked for and available. What came after the question isn't sent back.
    bytes[2] = (unsigned char)(0x84 | (bytes[2] & 1));
    bytes[3] = 0x80;
    memset(bytes + 6, 0, 6);
    long under = suffix_place(name);
    if (under < 0 || class != class_in) {
        counts.refused++;
        bytes[3] |= refused;
        return place;
    }
    unsigned long number = 0;
    char letter = known_name(name, under, &number);
    if (letter == 't' && is_udp) {
        bytes[2] |= 2;
        return place;
    }
    // The suffix itself exists, and has no record.
    if (!letter && under > 0) {
        counts.unknown++;
        bytes[3] |= no_such_name;
    }
    size_t added = letter ? put_addresses(bytes, place, letter, number, type) : 0;
    if (added) return place + added;
    // Both names are the root; then serial, refresh, retry, expire and minimum.
    unsigned char authority[22] = {0, 0, 0, 0, 0, 1, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 14, 16};
    put32(authority + 18, time_to_live);
    put16(bytes + 8, 1);
    return place + put_record(bytes + place, head_bytes + (unsigned)under, type_soa, authority, sizeof authority);
}

// A place for an answer that is due after the delay, or NULL when there are too many already.
static Pending *next_pending(void) {
    if (pending_end - pending_first == pending_max) {
        counts.overflow++;
        return NULL;
    }
    return &pending[pending_end % pending_max];
}

static void read_datagrams(void) {
    for (int times = 0; times < batch; times++) {
        unsigned char bytes[answer_max];
        struct sockaddr_in from;
        socklen_t from_length = sizeof from;
        ssize_t received = recvfrom(udp, bytes, query_max, MSG_DONTWAIT, (struct sockaddr *)&from, &from_length);
        if (received < 0) return;
        size_t length = answer(bytes, (size_t)received, 1);
        if (!length) {
            counts.malformed++;
            continue;
        }
        if (is_lost()) {
            counts.lost++;
            continue;
        }
        Pending *one = next_pending();
        if (!one) continue;
        one->due_ns = now_ns() + delay_ns;
        one->to = from;
        one->connection = -1;
        one->length = (uint16_t)length;
        memcpy(one->bytes, bytes, length);
        pending_end++;
    }
}

static void close_connection(int descriptor) {
    connections[descriptor]->is_open = 0;
    connections[descriptor]->generation++;
    open_connections--;
    close(descriptor);
}

static void accept_one(void) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    if (descriptor < 0) return;
    if (descriptor >= descriptors_max || open_connections == connections_max) {
        counts.overflow++;
        close(descriptor);
        return;
    }
    if (!connections[descriptor] && !(connections[descriptor] = calloc(1, sizeof(Connection)))) give_up("dns: calloc");
    connections[descriptor]->is_open = 1;
    connections[descriptor]->used = 0;
    open_connections++;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = descriptor};
    if (epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("dns: epoll_ctl");
}

// Takes the whole queries that have come over a connection; answers whether it may go on.
static int take_queries(int descriptor) {
    Connection *connection = connections[descriptor];
    for (;;) {
        size_t length = connection->used < 2 ? 0 : number_at(connection->bytes);
        if (length > query_max) return 0;
        if (connection->used < 2 || connection->used < 2 + length) return 1;
        Pending *one = next_pending();
        if (!one) return 0;
        memcpy(one->bytes + 2, connection->bytes + 2, length);
        connection->used = (uint16_t)(connection->used - 2 - length);
        memmove(connection->bytes, connection->bytes + 2 + length, connection->used);
        size_t answered = answer(one->bytes + 2, length, 0);
        if (!answered) {
            counts.malformed++;
            return 0;
        }
        counts.tcp++;
        put16(one->bytes, (unsigned)answered);
        one->due_ns = now_ns() + delay_ns;
        one->connection = descriptor;
        one->generation = connection->generation;
        one->length = (uint16_t)(answered + 2);
        pending_end++;
    }
}

static void read_connection(int descriptor) {
    Connection *connection = connections[descriptor];
    ssize_t received = recv(descriptor, connection->bytes + connection->used, sizeof connection->bytes - connection->used, MSG_DONTWAIT);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received > 0) connection->used = (uint16_t)(connection->used + received);
    if (received <= 0 || !take_queries(descriptor)) close_connection(descriptor);
}

// Sends what is due; returns how long epoll may wait, in nanoseconds, or UINT64_MAX.
static uint64_t answer_due(void) {
    for (; pending_first < pending_end; pending_first++) {
        Pending *next = &pending[pending_first % pending_max];
        uint64_t now = now_ns();
        if (next->due_ns > now) return next->due_ns - now;
        ssize_t sent = -1;
        if (next->connection < 0) {
            // What the client's buffer has no room for is lost, as datagrams are; it asks again.
            sent = sendto(udp, next->bytes, next->length, MSG_DONTWAIT, (struct sockaddr *)&next->to, sizeof next->to);
        } else if (connections[next->connection]->is_open && connections[next->connection]->generation == next->generation) {
            // A few answers have room in any socket.
            sent = send(next->connection, next->bytes, next->length, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        counts.answered += sent == next->length;
    }
    return UINT64_MAX;
}

static int open_socket(int kind, int port) {
    int descriptor = socket(AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, room = 4 << 20;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (descriptor < 0) give_up("dns: socket");
    if (kind == SOCK_STREAM) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (kind == SOCK_DGRAM) setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(descriptor, (struct sockaddr *)&here, sizeof here) != 0) give_up("dns: bind");
    if (kind == SOCK_STREAM && listen(descriptor, connections_max) != 0) give_up("dns: listen");
    return descriptor;
}

static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    int numbers[] = {SIGUSR1, SIGTERM, SIGINT};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) sigaddset(&set, numbers[index]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void print_counts(void) {
    printf("queries=%lu a=%lu aaaa=%lu other=%lu tcp=%lu answered=%lu lost=%lu unknown=%lu refused=%lu malformed=%lu overflow=%lu\n",
        counts.queries, counts.a, counts.aaaa, counts.other, counts.tcp, counts.answered, counts.lost, counts.unknown, counts.refused,
        counts.malformed, counts.overflow);
    fflush(stdout);
}

// Answers whether to go on.
static int read_signals(int descriptor) {
    struct signalfd_siginfo signal;
    while (read(descriptor, &signal, sizeof signal) == sizeof signal) {
        print_counts();
        if (signal.ssi_signo != SIGUSR1) return 0;
    }
    return 1;
}

static void run(int signals) {
    static struct epoll_event events[events_per_turn];
    for (;;) {
        uint64_t patience = answer_due();
        if (patience > 1000000000) patience = 999999999;
        struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)patience};
        int ready = epoll_pwait2(epoll_descriptor, events, events_per_turn, &timeout, NULL);
        for (int index = 0; index < ready; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor == signals) {
                if (!read_signals(signals)) return;
            } else if (descriptor == udp) {
                read_datagrams();
            } else if (descriptor == listener) {
                accept_one();
            } else if (connections[descriptor] && connections[descriptor]->is_open) {
                read_connection(descriptor);
            }
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: dns PORT DELAY-MS LOST-PERCENT TTL-S [SUFFIX]\n");
        return 2;
    }
    int port = atoi(argv[1]);
    double delay_ms = atof(argv[2]), lost_percent = atof(argv[3]);
    if (port <= 0 || delay_ms < 0 || lost_percent < 0 || atol(argv[4]) < 0) {
        fprintf(stderr, "dns: PORT must be above 0, the other numbers not below it\n");
        return 2;
    }
    delay_ns = (uint64_t)(delay_ms * 1e6);
    lost_share = lost_percent / 100;
    time_to_live = (uint32_t)atol(argv[4]);
    if (argc > 5) suffix = argv[5];
    pending = calloc(pending_max, sizeof *pending);
    epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (!pending || epoll_descriptor < 0) give_up("dns");
    udp = open_socket(SOCK_DGRAM, port);
    listener = open_socket(SOCK_STREAM, port);
    int all[] = {udp, listener, open_signals()};
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = all[index]};
        if (epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, all[index], &event) != 0) give_up("dns: epoll_ctl");
    }
    puts("ready");
    fflush(stdout);
    run(all[2]);
    return 0;
}
