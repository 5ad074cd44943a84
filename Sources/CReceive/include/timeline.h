// When the bytes of one transfer went and came, and for how long what came lay unread.
//
// A thread that is busy reads late and sends late, and neither is time of the wire's or the server's. So the timeline counts from the moment
// at which this process sends to the moment at which the kernel got what answers it. It needs no socket: receive.h has the sockets.
//
// All times are nanoseconds of the monotonic clock. A time is 0 until the thing has happened.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// What lies unread for longer than this while the deadline passes is read too late: 20 ms. A thread that is busy needs less to come round.
#define RF_GRACE_NANOSECONDS 20000000

typedef struct {
    // The connection was about to be asked for.
    int64_t opened;
    // The kernel had the connection.
    int64_t connected;
    // Time on the wire since the last lap: from the first bytes of each round that were sent to the last ones that answered them.
    int64_t wire;
    // How far `wire` counts.
    int64_t edge;
    // The first bytes of the request were sent.
    int64_t requested;
    // Something was read last, or this process began to look.
    int64_t read;
    // The last bytes that were read had come, or the end of the connection.
    int64_t arrived;
    // For so long in all something had come, and this process had not looked.
    int64_t unread;
    int64_t deadline;
    // -1 while it is not known.
    int32_t descriptor;
    // The next bytes that are sent are the request's.
    bool awaits_request;
    // The next bytes that are sent begin a round.
    bool ends_round;
    // Something that had come by the deadline was read after it, and too late.
    bool is_late;
} rf_timeline;

static inline void rf_timeline_lies(rf_timeline *timeline, int64_t since, int64_t until) {
    if(until <= since) return;
    timeline->unread += until - since;
    if(since > timeline->deadline || until <= timeline->deadline) return;
    if(until - since > RF_GRACE_NANOSECONDS) timeline->is_late = true;
}

// The kernel had the connection at a time, and this process looked at another.
static inline void rf_timeline_connects(rf_timeline *timeline, int64_t at, int64_t noticed) {
    timeline->connected = at;
    rf_timeline_lies(timeline, at, noticed);
}

// A connection stood before, and this process looks at it from now on: what came while it was idle has waited for nobody.
static inline void rf_timeline_joins(rf_timeline *timeline, int64_t now) {
    timeline->read = now;
}

static inline void rf_timeline_sends(rf_timeline *timeline, int64_t now) {
    if(timeline->awaits_request) {
        timeline->requested = now;
        timeline->awaits_request = false;
    }
    if(timeline->edge && !timeline->ends_round) return;
    timeline->edge = now;
    timeline->ends_round = false;
}

// Bytes, or the end of the connection, that came at a time and are read now.
static inline void rf_timeline_reads(rf_timeline *timeline, int64_t arrival, int64_t now) {
    // Bytes that came while others were being read have waited since then.
    rf_timeline_lies(timeline, arrival > timeline->read ? arrival : timeline->read, now);
    if(timeline->edge && arrival > timeline->edge) {
        timeline->wire += arrival - timeline->edge;
        timeline->edge = arrival;
    }
    if(arrival > timeline->arrived) timeline->arrived = arrival;
    timeline->read = now;
    timeline->ends_round = true;
}

// Another connection takes the place of this one. For how long things lay unread is counted on.
static inline void rf_timeline_clear(rf_timeline *timeline) {
    timeline->opened = timeline->connected = timeline->requested = timeline->arrived = 0;
    timeline->wire = timeline->edge = 0;
    timeline->awaits_request = timeline->ends_round = false;
}

// The time on the wire so far; what follows is counted anew.
static inline int64_t rf_timeline_lap(rf_timeline *timeline) {
    int64_t wire = timeline->wire;
    timeline->wire = 0;
    timeline->edge = 0;
    return wire;
}
