// The server that knows its own delay: the targets of scripts/bench where their clock counts. One thread, epoll, many loopback
// addresses at one port. It answers each request after a given delay and writes down, by CLOCK_BOOTTIME (the clock of the daemon's
// schedule), when the connection came, when the request came and when the first byte of the answer went out. The request's time is the
// kernel's (SO_TIMESTAMPNS), for this process may have to wait for a core before it can look at a clock.
//
//   target PORT DELAY-MS LOG [FIRST-ADDRESS LAST-ADDRESS]      listens on 127.0.0.FIRST to 127.0.0.LAST, by default 2 to 17
//
// SIGUSR1: from now on every request hangs until its client goes. SIGUSR2: answers again; what hangs goes on hanging.
// SIGTERM: writes the rest of the log and ends. Prints "ready" once it listens.
//
// It closes first after an answer, so that TIME_WAIT, and with it the port, is the server's and not the daemon's.
// The log is records of 32 bytes, in the machine's byte order; see Arrival below. scripts/lib/bench/arrivals.py reads it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { descriptors_max = 65536, events_per_turn = 512, head_max = 2048, log_batch = 4096, accepts_per_turn = 64 };

typedef struct {
    uint64_t accepted_ns;
    uint64_t came_ns;
    // From the request's coming to the first byte of the answer; 0 for a request that hangs.
    uint64_t delay_ns;
    // N of "GET /t/N".
    uint32_t number;
    uint32_t is_hanging;
} Arrival;

typedef struct {
    Arrival arrival;
    // Tells a connection from a later one of the same descriptor.
    uint32_t generation;
    uint16_t head_bytes;
    enum { closed, listening, reading, delayed, hanging } state;
    char *head;
} Connection;

// The delay is the same for all, so answers fall due in the order in which requests were read.
typedef struct {
    uint64_t due_ns;
    uint32_t generation;
    int descriptor;
} Answer;

static Connection connections[descriptors_max];
static Answer *answers;
static uint64_t answers_first, answers_end;
enum { answers_max = descriptors_max };
static Arrival batch[log_batch];
static int batched, log_descriptor, epoll_descriptor, is_hanging;
static uint64_t delay_ns, flushed_ns;
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

static uint64_t nanoseconds(const struct timespec *time) {
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return nanoseconds(&time);
}

static uint64_t now_ns(void) {
    return clock_ns(CLOCK_BOOTTIME);
}

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

static void flush_log(void) {
    const char *bytes = (const char *)batch;
    size_t left = (size_t)batched * sizeof *batch;
    while (left > 0) {
        ssize_t written = write(log_descriptor, bytes, left);
        if (written < 0) give_up("target: write");
        bytes += written;
        left -= (size_t)written;
    }
    batched = 0;
}

static void log_arrival(const Arrival *arrival) {
    batch[batched++] = *arrival;
    if (batched == log_batch) flush_log();
}

static void close_connection(int descriptor) {
    Connection *connection = &connections[descriptor];
    free(connection->head);
    connection->head = NULL;
    connection->state = closed;
    connection->generation++;
    close(descriptor);
}

static void send_answer(int descriptor) {
    Connection *connection = &connections[descriptor];
    uint64_t now = now_ns();
    // A socket that was never written to has room for this.
    (void)!send(descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    connection->arrival.delay_ns = now - connection->arrival.came_ns;
    log_arrival(&connection->arrival);
    close_connection(descriptor);
}

static uint32_t path_number(const char *head) {
    const char *path = strstr(head, " /t/");
    return path ? (uint32_t)strtoul(path + 4, NULL, 10) : UINT32_MAX;
}

// The whole request's head is here.
static void take_request(int descriptor, const char *head, uint64_t came) {
    Connection *connection = &connections[descriptor];
    connection->arrival.came_ns = came;
    // The connection was there when its request came, whenever this process got round to accepting it.
    if (came < connection->arrival.accepted_ns) connection->arrival.accepted_ns = came;
    connection->arrival.number = path_number(head);
    if (is_hanging) {
        connection->arrival.is_hanging = 1;
        connection->state = hanging;
        log_arrival(&connection->arrival);
    } else if (delay_ns == 0) {
        send_answer(descriptor);
    } else {
        connection->state = delayed;
        answers[answers_end++ % answers_max] = (Answer){came + delay_ns, connection->generation, descriptor};
    }
}

// Like recv, and answers when the kernel had the last of the bytes.
static ssize_t receive(int descriptor, char *bytes, size_t room, uint64_t *came) {
    union {
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr aligned;
    } control;
    struct iovec vector = {bytes, room};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t received = recvmsg(descriptor, &message, MSG_DONTWAIT);
    *came = now_ns();
    if (received <= 0) return received;
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one)) {
        if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(one), sizeof stamp);
        // It is by the wall clock: so long ago, and not longer than a second, else that clock was set meanwhile.
        uint64_t wall = clock_ns(CLOCK_REALTIME), then = nanoseconds(&stamp);
        if (then <= wall && wall - then < 1000000000) *came -= wall - then;
    }
    return received;
}

static void read_request(int descriptor) {
    Connection *connection = &connections[descriptor];
    char bytes[head_max + 1];
    int before = connection->head_bytes;
    if (before) memcpy(bytes, connection->head, (size_t)before);
    uint64_t came;
    ssize_t received = receive(descriptor, bytes + before, (size_t)(head_max - before), &came);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (received <= 0 || connection->state != reading) {
        // The client went, or talks while it should wait. A delayed answer to it is dropped when it falls due.
        if (received <= 0) close_connection(descriptor);
        return;
    }
    int length = before + (int)received;
    bytes[length] = 0;
    if (strstr(bytes, "\r\n\r\n")) {
        take_request(descriptor, bytes, came);
    } else if (length == head_max) {
        close_connection(descriptor);
    } else {
        // A head in two pieces is rare, so only then is it kept.
        char *kept = realloc(connection->head, (size_t)length);
        if (!kept) give_up("target: realloc");
        memcpy(kept, bytes, (size_t)length);
        connection->head = kept;
        connection->head_bytes = (uint16_t)length;
    }
}

static void accept_some(int listener) {
    for (int times = 0; times < accepts_per_turn; times++) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        if (descriptor >= descriptors_max) {
            close(descriptor);
            continue;
        }
        Connection *connection = &connections[descriptor];
        connection->state = reading;
        connection->head_bytes = 0;
        connection->arrival = (Arrival){.accepted_ns = now_ns(), .number = UINT32_MAX};
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = descriptor};
        if (epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("target: epoll_ctl");
    }
}

// Answers what is due; returns how long epoll may wait, in nanoseconds, or UINT64_MAX.
static uint64_t answer_due(void) {
    while (answers_first < answers_end) {
        Answer next = answers[answers_first % answers_max];
        Connection *connection = &connections[next.descriptor];
        if (connection->state != delayed || connection->generation != next.generation) {
            answers_first++;
            continue;
        }
        uint64_t now = now_ns();
        if (next.due_ns > now) return next.due_ns - now;
        answers_first++;
        send_answer(next.descriptor);
    }
    return UINT64_MAX;
}

static void listen_on(int last_byte, int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (descriptor < 0) give_up("target: socket");
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Accepted sockets have it from here.
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)last_byte)};
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) give_up("target: bind");
    if (listen(descriptor, 4096) != 0) give_up("target: listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    connections[descriptor].state = listening;
    if (epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("target: epoll_ctl");
}

static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    int numbers[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) sigaddset(&set, numbers[index]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (descriptor < 0 || epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("target: signalfd");
    return descriptor;
}

// Answers whether to go on.
static int read_signals(int descriptor) {
    struct signalfd_siginfo signal;
    while (read(descriptor, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGUSR1) is_hanging = 1;
        else if (signal.ssi_signo == SIGUSR2) is_hanging = 0;
        else return 0;
    }
    return 1;
}

static void run(int signals) {
    static struct epoll_event events[events_per_turn];
    for (;;) {
        uint64_t patience = answer_due(), now = now_ns();
        if (now - flushed_ns > 1000000000) {
            flush_log();
            flushed_ns = now;
        }
        if (patience > 500000000) patience = 500000000;
        struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)patience};
        int ready = epoll_pwait2(epoll_descriptor, events, events_per_turn, &timeout, NULL);
        for (int index = 0; index < ready; index++) {
            int descriptor = events[index].data.fd;
            if (descriptor == signals) {
                if (!read_signals(signals)) return;
            } else if (connections[descriptor].state == listening) {
                accept_some(descriptor);
            } else if (connections[descriptor].state != closed) {
                read_request(descriptor);
            }
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: target PORT DELAY-MS LOG [FIRST-ADDRESS LAST-ADDRESS]\n");
        return 2;
    }
    int port = atoi(argv[1]), first = argc > 5 ? atoi(argv[4]) : 2, last = argc > 5 ? atoi(argv[5]) : 17;
    delay_ns = (uint64_t)(atof(argv[2]) * 1e6);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < descriptors_max ? limit.rlim_max : descriptors_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    log_descriptor = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    answers = calloc(answers_max, sizeof *answers);
    if (log_descriptor < 0 || epoll_descriptor < 0 || !answers) give_up("target");
    int signals = open_signals();
    for (int address = first; address <= last; address++) listen_on(address, port);
    puts("ready");
    fflush(stdout);
    run(signals);
    flush_log();
    return 0;
}
