// What libcurl takes for the end of a stream of HTTP/2.
//
// A server may end a stream by RST_STREAM with NO_ERROR only after its whole answer (RFC 9113 section 8.1). libcurl 7.88.1 takes the frame for
// a clean end wherever it comes, and half a body for a whole one. libcurl has no option for this and no callback, so this module stands between
// libcurl and nghttp2 where libcurl says whom to call with each frame: the dynamic linker looks in the program first. Where a stream is reset
// before the server has ended it, the error that libcurl is told is PROTOCOL_ERROR.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// As nghttp2.h has them since nghttp2 1.0; the header is no part of what libcurl's own package brings.
typedef struct {
    size_t length;
    int32_t stream;
    uint8_t type;
    uint8_t flags;
    uint8_t reserved;
} frame_head;

typedef struct {
    frame_head head;
    uint32_t error;
} reset_frame;

typedef int (*frame_callback)(void *session, const void *frame, void *context);
typedef int (*head_callback)(void *session, const frame_head *head, void *context);
typedef void (*frame_setter)(void *callbacks, frame_callback callback);
typedef void (*head_setter)(void *callbacks, head_callback callback);
typedef int (*stream_question)(void *session, int32_t stream);

enum { resetType = 3, noError = 0, protocolError = 1 };

static _Atomic(frame_callback) libcurls;
static _Atomic(stream_question) has_server_ended;

// The stream whose reset is being read and that the server has not ended. Once the frame is whole nghttp2 calls every stream ended.
static _Thread_local struct {
    void *session;
    int32_t stream;
} cut;

static int frame_begins(void *session, const frame_head *head, void *context) {
    (void)context;
    stream_question question = atomic_load(&has_server_ended);
    if(head->type != resetType || !question) return 0;
    cut.session = question(session, head->stream) == 0 ? session : NULL;
    cut.stream = head->stream;
    return 0;
}

static int frame_came(void *session, const void *frame, void *context) {
    // The frame is nghttp2's own, which reads the error from it after this call.
    reset_frame *reset = (reset_frame *)frame;
    if(reset->head.type == resetType && cut.session == session && cut.stream == reset->head.stream) {
        cut.session = NULL;
        if(reset->error == noError) reset->error = protocolError;
    }
    return atomic_load(&libcurls)(session, frame, context);
}

void nghttp2_session_callbacks_set_on_frame_recv_callback(void *callbacks, frame_callback callback) {
    frame_setter set = (frame_setter)dlsym(RTLD_NEXT, "nghttp2_session_callbacks_set_on_frame_recv_callback");
    head_setter set_beginning = (head_setter)dlsym(RTLD_NEXT, "nghttp2_session_callbacks_set_on_begin_frame_callback");
    atomic_store(&has_server_ended, (stream_question)dlsym(RTLD_NEXT, "nghttp2_session_get_stream_remote_close"));
    atomic_store(&libcurls, callback);
    if(set) set(callbacks, callback ? frame_came : NULL);
    if(set_beginning) set_beginning(callbacks, frame_begins);
}
