// The server that knows its own time under TLS: what scripts/bench holds the daemon's phases against. One thread, epoll, OpenSSL, many
// loopback addresses at one port. It answers each request after a fixed delay, which a timer keeps, and writes down by CLOCK_BOOTTIME
// (the clock of the daemon's schedule, monotonic) what it did when: the connection accepted, the ClientHello come and the flight that
// answers it sent, the request come and the answer sent. That something came is by the kernel's stamp (SO_TIMESTAMPNS): what lay in the
// kernel while this thread made another handshake is the server's time, and not the network's. That something was sent is the moment
// before the call of send.
//
//   truth PORT DELAY-MS LOG CERTIFICATE KEY [FIRST-ADDRESS LAST-ADDRESS]      127.0.0.FIRST to 127.0.0.LAST, by default 2 to 17
//
// SIGTERM: writes the rest of the log and ends. Prints "ready" once it listens.
//
// Like nginx it sends two session tickets after a TLS 1.3 handshake. These are bytes that the client gets after its request and before the
// answer: who takes them for the answer's first byte is wrong by the whole delay.
// It closes first after an answer, so that TIME_WAIT, and with it the port, is the server's and not the daemon's.
// The log is records of 48 bytes, in the machine's byte order; see Exchange below. scripts/lib/bench/scenarios/phases.py reads it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
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

enum { descriptors_max = 65536, events_per_turn = 512, head_max = 2048, log_batch = 1024, accepts_per_turn = 16, answers_max = 65536 };

typedef struct {
    uint64_t accepted_ns;
    uint64_t hello_came_ns, flight_sent_ns;
    uint64_t request_came_ns, answered_ns;
    // N of "GET /t/N".
    uint32_t number;
    uint32_t reserved;
} Exchange;

typedef struct {
    Exchange exchange;
    // Between the socket and OpenSSL lie two buffers in memory, because only recvmsg tells when the kernel had the bytes.
    SSL *tls;
    BIO *incoming, *outgoing;
    uint32_t generation;
    uint16_t head_bytes;
    enum { closed, listening, greeting, reading, delayed } state;
    char head[head_max + 1];
} Connection;

// The delay is the same for all, so answers fall due in the order in which requests were read.
typedef struct {
    uint64_t due_ns;
    uint32_t generation;
    int descriptor;
} Answer;

static Connection *connections[descriptors_max];
static Answer answers[answers_max];
static uint64_t answers_first, answers_end;
static Exchange batch[log_batch];
static int batched, log_descriptor, epoll_descriptor;
static uint64_t delay_ns, flushed_ns;
static SSL_CTX *context;
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

static void give_up_tls(const char *what) {
    fprintf(stderr, "%s: ", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void flush_log(void) {
    const char *bytes = (const char *)batch;
    size_t left = (size_t)batched * sizeof *batch;
    while (left > 0) {
        ssize_t written = write(log_descriptor, bytes, left);
        if (written < 0) give_up("truth: write");
        bytes += written;
        left -= (size_t)written;
    }
    batched = 0;
}

static void log_exchange(const Exchange *exchange) {
    batch[batched++] = *exchange;
    if (batched == log_batch) flush_log();
}

static void close_connection(int descriptor) {
    Connection *connection = connections[descriptor];
    SSL_free(connection->tls);
    connection->tls = NULL;
    connection->state = closed;
    connection->generation++;
    ERR_clear_error();
    close(descriptor);
}

// Sends what OpenSSL has made, and returns when; 0 where there was nothing or where it could not be sent. What a connection sends in all
// is a few kilobytes, for which its socket has room.
static uint64_t send_outgoing(int descriptor) {
    char *bytes;
    BIO *outgoing = connections[descriptor]->outgoing;
    long length = BIO_get_mem_data(outgoing, &bytes);
    if (length <= 0) return 0;
    uint64_t now = now_ns();
    ssize_t sent = send(descriptor, bytes, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)BIO_reset(outgoing);
    return sent == length ? now : 0;
}

static void send_answer(int descriptor) {
    Connection *connection = connections[descriptor];
    if (SSL_write(connection->tls, answer, sizeof answer - 1) == sizeof answer - 1) {
        // The client gets the close notification with the answer.
        SSL_shutdown(connection->tls);
        connection->exchange.answered_ns = send_outgoing(descriptor);
        if (connection->exchange.answered_ns) log_exchange(&connection->exchange);
    }
    close_connection(descriptor);
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

// Goes on with the handshake; answers whether the connection may live.
static int greet(int descriptor, uint64_t came) {
    Connection *connection = connections[descriptor];
    Exchange *exchange = &connection->exchange;
    // The connection was there when its first bytes came, whenever this thread got round to accepting it.
    if (came < exchange->accepted_ns) exchange->accepted_ns = came;
    if (!exchange->flight_sent_ns) exchange->hello_came_ns = came;
    int done = SSL_accept(connection->tls);
    uint64_t sent = send_outgoing(descriptor);
    if (!exchange->flight_sent_ns) exchange->flight_sent_ns = sent;
    if (done == 1) connection->state = reading;
    return done == 1 || SSL_get_error(connection->tls, done) == SSL_ERROR_WANT_READ;
}

// Reads as much of the request as there is; answers whether the connection may live.
static int read_request(int descriptor, uint64_t came) {
    Connection *connection = connections[descriptor];
    for (;;) {
        int room = head_max - connection->head_bytes;
        if (room == 0) return 0;
        int received = SSL_read(connection->tls, connection->head + connection->head_bytes, room);
        if (received <= 0) return SSL_get_error(connection->tls, received) == SSL_ERROR_WANT_READ;
        connection->head_bytes = (uint16_t)(connection->head_bytes + received);
        connection->head[connection->head_bytes] = 0;
        if (strstr(connection->head, "\r\n\r\n")) break;
    }
    if (answers_end - answers_first == answers_max) return 0;
    const char *path = strstr(connection->head, " /t/");
    connection->exchange.number = path ? (uint32_t)strtoul(path + 4, NULL, 10) : UINT32_MAX;
    connection->exchange.request_came_ns = came;
    connection->state = delayed;
    answers[answers_end++ % answers_max] = (Answer){came + delay_ns, connection->generation, descriptor};
    return 1;
}

static void read_connection(int descriptor) {
    Connection *connection = connections[descriptor];
    char bytes[4096];
    uint64_t came;
    ssize_t received = receive(descriptor, bytes, sizeof bytes, &came);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    // Who talks while it should wait isn't listened to.
    if (received > 0 && connection->state == delayed) return;
    // An answer to who has gone is dropped when it falls due.
    int lives = received > 0 && BIO_write(connection->incoming, bytes, (int)received) == received;
    if (lives && connection->state == greeting) lives = greet(descriptor, came);
    // The request may have come together with the end of the handshake.
    if (lives && connection->state == reading) lives = read_request(descriptor, came);
    if (!lives) close_connection(descriptor);
}

static Connection *connection_of(int descriptor) {
    Connection *connection = connections[descriptor];
    if (!connection && !(connection = connections[descriptor] = calloc(1, sizeof *connection))) give_up("truth: calloc");
    return connection;
}

static void accept_some(int listener) {
    for (int times = 0; times < accepts_per_turn; times++) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        if (descriptor >= descriptors_max) {
            close(descriptor);
            continue;
        }
        Connection *connection = connection_of(descriptor);
        connection->state = greeting;
        connection->head_bytes = 0;
        connection->exchange = (Exchange){.accepted_ns = now_ns(), .number = UINT32_MAX};
        connection->tls = SSL_new(context);
        connection->incoming = BIO_new(BIO_s_mem());
        connection->outgoing = BIO_new(BIO_s_mem());
        if (!connection->tls || !connection->incoming || !connection->outgoing) give_up_tls("truth: SSL_new");
        // An empty buffer is no end of the stream: there will be more.
        BIO_set_mem_eof_return(connection->incoming, -1);
        SSL_set_bio(connection->tls, connection->incoming, connection->outgoing);
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = descriptor};
        if (epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("truth: epoll_ctl");
    }
}

// Answers what is due; returns how long epoll may wait, in nanoseconds, or UINT64_MAX.
static uint64_t answer_due(void) {
    while (answers_first < answers_end) {
        Answer next = answers[answers_first % answers_max];
        Connection *connection = connections[next.descriptor];
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
    if (descriptor < 0) give_up("truth: socket");
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Accepted sockets have both of these from here.
    setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)last_byte)};
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) give_up("truth: bind");
    if (listen(descriptor, 4096) != 0) give_up("truth: listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    connection_of(descriptor)->state = listening;
    if (epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("truth: epoll_ctl");
}

static void open_context(const char *certificate, const char *key) {
    context = SSL_CTX_new(TLS_server_method());
    if (!context) give_up_tls("truth: SSL_CTX_new");
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) give_up_tls(certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) give_up_tls(key);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // Nobody resumes a session here, and a cache of them would only grow.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (descriptor < 0 || epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("truth: signalfd");
    return descriptor;
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
            if (descriptor == signals) return;
            if (connections[descriptor]->state == listening) {
                accept_some(descriptor);
            } else if (connections[descriptor]->state != closed) {
                read_connection(descriptor);
            }
            // A handshake takes a while, and an answer that is due meanwhile shouldn't wait for a whole turn of them.
            answer_due();
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: truth PORT DELAY-MS LOG CERTIFICATE KEY [FIRST-ADDRESS LAST-ADDRESS]\n");
        return 2;
    }
    int port = atoi(argv[1]), first = argc > 7 ? atoi(argv[6]) : 2, last = argc > 7 ? atoi(argv[7]) : 17;
    delay_ns = (uint64_t)(atof(argv[2]) * 1e6);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < descriptors_max ? limit.rlim_max : descriptors_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    log_descriptor = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (log_descriptor < 0 || epoll_descriptor < 0) give_up("truth");
    open_context(argv[4], argv[5]);
    int signals = open_signals();
    for (int address = first; address <= last; address++) listen_on(address, port);
    puts("ready");
    fflush(stdout);
    run(signals);
    flush_log();
    return 0;
}
