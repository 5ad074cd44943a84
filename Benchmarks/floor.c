// The floor: what the probes' transfers cost in plain C. One thread, libcurl's multi_socket interface over epoll, a pool of easy
// handles, fresh connections, begun evenly at a given rate; no judging, no storing, no page. scripts/bench runs it against the same
// server and at the same pace as the daemon and divides one CPU time by the other.
//
// The options are those of Sources/Curl/Transfer/TransferOptions.swift and have to follow it. After curl's
// docs/examples/ephiperfifo.c, with epoll_wait's timeout in place of a timer descriptor, and with EPOLLERR and EPOLLHUP heeded.
//
//   floor SCHEME PORT COUNT RATE|xN SECONDS [CA-FILE]      URLs are SCHEME://127.0.0.X:PORT/t/N with N below COUNT
//
// With xN in place of a rate it is flat out: nothing is paced, and N transfers are in flight all the time. One such process for each
// core shows how many results a second plain C has of a machine.
//
// Prints one line: transfers=N failures=N cpu_us=N.N (a transfer, user and system) seconds=N.N in_flight_max=N
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { addresses = 16, events_per_turn = 256, descriptors_max = 65536, pool_max = 256, timeout_ms = 5000 };
// The first second fills the pool, the caches and the bundle of authorities, and is not measured.
static const uint64_t warm_up_ns = 1000000000;

typedef struct Transfer {
    CURL *easy;
    char error[CURL_ERROR_SIZE];
    size_t body_bytes, header_bytes;
    struct Transfer *next;
} Transfer;

static CURLM *multi;
static int epoll_descriptor;
static int interests[descriptors_max];
static uint64_t timer_ns = UINT64_MAX;
static Transfer *pool;
static int pooled;
static const char *scheme, *ca_file;
static int port, count;
static uint64_t ended, failures, in_flight, in_flight_max;

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static double cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

static size_t receive_body(char *data, size_t size, size_t times, void *context) {
    (void)data;
    ((Transfer *)context)->body_bytes += size * times;
    return size * times;
}

static size_t receive_header(char *data, size_t size, size_t times, void *context) {
    (void)data;
    ((Transfer *)context)->header_bytes += size * times;
    return size * times;
}

static int progress_made(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now) {
    (void)context, (void)total, (void)up_total, (void)up_now;
    return now > 1 << 20;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int socket_changed(CURL *easy, curl_socket_t descriptor, int what, void *context, void *socket_context) {
    (void)easy, (void)context, (void)socket_context;
    if (descriptor < 0 || descriptor >= descriptors_max) return 0;
    int before = interests[descriptor];
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
        interests[descriptor] = 0;
        epoll_ctl(epoll_descriptor, EPOLL_CTL_DEL, descriptor, NULL);
        return 0;
    }
    if (before == what) return 0;
    interests[descriptor] = what;
    struct epoll_event event = {.data.fd = descriptor};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    if (epoll_ctl(epoll_descriptor, before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) != 0 &&
        epoll_ctl(epoll_descriptor, before ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) != 0)
        give_up("epoll_ctl");
    return 0;
}

// libcurl may not be called from here; the loop does so when the time has come.
static int timer_changed(CURLM *of, long milliseconds, void *context) {
    (void)of, (void)context;
    timer_ns = milliseconds < 0 ? UINT64_MAX : now_ns() + (uint64_t)milliseconds * 1000000;
    return 0;
}

static void set_options(Transfer *transfer, uint64_t number) {
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress_made);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 60L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    char url[96];
    int place = (int)(number % (uint64_t)count);
    snprintf(url, sizeof url, "%s://127.0.0.%d:%d/t/%d", scheme, 2 + place % addresses, port, place);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "rangefinder-floor");
}

static void begin(uint64_t number) {
    Transfer *transfer = pool;
    if (transfer) {
        pool = transfer->next;
        pooled--;
    } else {
        transfer = calloc(1, sizeof *transfer);
        if (!transfer || !(transfer->easy = curl_easy_init())) give_up("curl_easy_init");
    }
    transfer->body_bytes = transfer->header_bytes = 0;
    set_options(transfer, number);
    if (curl_multi_add_handle(multi, transfer->easy) != CURLM_OK) give_up("curl_multi_add_handle");
    if (++in_flight > in_flight_max) in_flight_max = in_flight;
}

// Reads what the daemon's report has, too: the marks of the phases, the address, the status.
static void end(Transfer *transfer, CURLcode result) {
    CURL *easy = transfer->easy;
    static const CURLINFO marks[] = {CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T, CURLINFO_APPCONNECT_TIME_T,
        CURLINFO_PRETRANSFER_TIME_T, CURLINFO_STARTTRANSFER_TIME_T, CURLINFO_TOTAL_TIME_T, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T};
    curl_off_t mark;
    for (size_t index = 0; index < sizeof marks / sizeof *marks; index++) curl_easy_getinfo(easy, marks[index], &mark);
    long status = 0, version = 0;
    char *address = NULL;
    struct curl_header *location = NULL;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    curl_easy_header(easy, "Location", 0, CURLH_HEADER, -1, &location);
    if (result != CURLE_OK || status != 200) {
        if (failures++ == 0) fprintf(stderr, "floor: %s (%s), status %ld\n", curl_easy_strerror(result), transfer->error, status);
    }
    curl_multi_remove_handle(multi, easy);
    in_flight--;
    ended++;
    if (pooled >= pool_max) {
        curl_easy_cleanup(easy);
        free(transfer);
        return;
    }
    curl_easy_reset(easy);
    transfer->next = pool;
    pool = transfer;
    pooled++;
}

static void advance(int descriptor, int mask) {
    int running, left;
    curl_multi_socket_action(multi, descriptor, mask, &running);
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode result = message->data.result;
        Transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        end(transfer, result);
    }
}

// One turn: waits for sockets, libcurl's timer or `due`, whichever is first, and lets libcurl go on.
static void turn(uint64_t due) {
    static struct epoll_event events[events_per_turn];
    uint64_t now = now_ns(), next = due < timer_ns ? due : timer_ns;
    // Rounded up, so that it doesn't wake for nothing; what is late by less than a millisecond begins in one go.
    int patience = next == UINT64_MAX ? 1000 : next <= now ? 0 : (int)((next - now + 999999) / 1000000);
    int ready = epoll_wait(epoll_descriptor, events, events_per_turn, patience);
    for (int index = 0; index < ready; index++) {
        int descriptor = events[index].data.fd, mask = 0;
        if (events[index].events & EPOLLIN) mask |= CURL_CSELECT_IN;
        if (events[index].events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
        if (events[index].events & (EPOLLERR | EPOLLHUP)) mask |= interests[descriptor] & (CURL_CSELECT_IN | CURL_CSELECT_OUT);
        if (mask) advance(descriptor, mask);
    }
    if (timer_ns <= now_ns()) {
        timer_ns = UINT64_MAX;
        advance(CURL_SOCKET_TIMEOUT, 0);
    }
}

// At a rate, or with so many in flight where that isn't 0.
static void measure(double rate, uint64_t flat_out, double seconds) {
    uint64_t start = now_ns(), begun = 0, measured_from = 0;
    uint64_t stop = start + warm_up_ns + (uint64_t)(seconds * 1e9);
    double cpu_before = 0, step_ns = flat_out ? 0 : 1e9 / rate;
    uint64_t ended_before = 0;
    while (now_ns() < stop) {
        uint64_t now = now_ns();
        if (!measured_from && now - start >= warm_up_ns) {
            measured_from = now;
            cpu_before = cpu_us();
            ended_before = ended;
        }
        if (flat_out) {
            while (in_flight < flat_out) begin(begun++);
            turn(UINT64_MAX);
            continue;
        }
        while (start + (uint64_t)((double)begun * step_ns) <= now) begin(begun++);
        turn(start + (uint64_t)((double)begun * step_ns));
    }
    double cpu = cpu_us() - cpu_before, passed = (double)(now_ns() - measured_from) / 1e9;
    uint64_t transfers = ended - ended_before;
    for (uint64_t limit = now_ns() + (uint64_t)timeout_ms * 1000000; in_flight && now_ns() < limit;) turn(UINT64_MAX);
    printf("transfers=%llu failures=%llu cpu_us=%.2f seconds=%.2f in_flight_max=%llu\n", (unsigned long long)transfers,
        (unsigned long long)failures, cpu / (double)(transfers ? transfers : 1), passed, (unsigned long long)in_flight_max);
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: floor http|https PORT COUNT RATE|xN SECONDS [CA-FILE]\n");
        return 2;
    }
    scheme = argv[1];
    port = atoi(argv[2]);
    count = atoi(argv[3]);
    int is_flat_out = argv[4][0] == 'x';
    double rate = atof(argv[4] + is_flat_out), seconds = atof(argv[5]);
    if (port <= 0 || count <= 0 || rate <= 0 || seconds <= 0) {
        fprintf(stderr, "floor: PORT, COUNT, RATE and SECONDS must be above 0\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    ca_file = argc > 6 ? argv[6] : curl_version_info(CURLVERSION_NOW)->cainfo;
    if (!ca_file) ca_file = "/etc/ssl/certs/ca-certificates.crt";
    multi = curl_multi_init();
    epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (!multi || epoll_descriptor < 0) give_up("epoll_create1");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_changed);
    measure(rate, is_flat_out ? (uint64_t)rate : 0, seconds);
    return failures ? 1 : 0;
}
