#define _GNU_SOURCE
#include "handshakes.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef SSL_CTX *(*context_maker)(const SSL_METHOD *method);
typedef int (*cipher_setter)(SSL_CTX *context, const char *list);

_Thread_local rf_handshakes *rf_current_handshakes;
static _Thread_local int shares;
static _Thread_local void *offered;

rf_handshakes *rf_handshakes_new(void) {
    return calloc(1, sizeof(rf_handshakes));
}

void rf_handshakes_free(rf_handshakes *handshakes) {
    if(!handshakes) return;
    SSL_CTX_free(handshakes->context);
    free(handshakes->ciphers);
    rf_forget_certificates(handshakes);
    free(handshakes);
}

void rf_handshakes_begin(rf_handshakes *handshakes, int shares_context) {
    rf_current_handshakes = handshakes;
    shares = shares_context;
}

void rf_handshakes_end(void) {
    rf_current_handshakes = NULL;
    // Nobody took it: its SSL was not made, and the next SSL belongs to another transfer.
    offered = NULL;
}

uint64_t rf_contexts_made(const rf_handshakes *handshakes) {
    return atomic_load(&handshakes->contexts_made);
}

void rf_offer_observer(void *observer) {
    offered = observer;
}

void *rf_take_observer(void) {
    void *observer = offered;
    offered = NULL;
    return observer;
}

// The shared SSL_CTX without what libcurl sets for some connections only; NULL where there is none for the method.
static SSL_CTX *shared(rf_handshakes *handshakes, const SSL_METHOD *method) {
    if(!handshakes->context || handshakes->method != method) return NULL;
    if(SSL_CTX_set_alpn_protos(handshakes->context, NULL, 0) != 0 || !SSL_CTX_up_ref(handshakes->context)) return NULL;
    return handshakes->context;
}

// Weak, so that it gives way to the function of an OpenSSL that is linked statically.
__attribute__((weak)) SSL_CTX *SSL_CTX_new(const SSL_METHOD *method) {
    rf_handshakes *handshakes = rf_current_handshakes;
    SSL_CTX *context = handshakes && shares ? shared(handshakes, method) : NULL;
    if(context) return context;
    context_maker make = (context_maker)dlsym(RTLD_NEXT, "SSL_CTX_new");
    context = make ? make(method) : NULL;
    if(!handshakes || !context) return context;
    atomic_fetch_add(&handshakes->contexts_made, 1);
    if(shares && !handshakes->context && SSL_CTX_up_ref(context)) {
        handshakes->context = context;
        handshakes->method = method;
    }
    return context;
}

__attribute__((weak)) int SSL_CTX_set_cipher_list(SSL_CTX *context, const char *list) {
    rf_handshakes *handshakes = rf_current_handshakes;
    int is_shared = handshakes && list && context == handshakes->context;
    if(is_shared && handshakes->ciphers && strcmp(handshakes->ciphers, list) == 0) return 1;
    cipher_setter set = (cipher_setter)dlsym(RTLD_NEXT, "SSL_CTX_set_cipher_list");
    int is_set = set ? set(context, list) : 0;
    if(is_shared) {
        free(handshakes->ciphers);
        // After a failure the list of the context isn't known.
        handshakes->ciphers = is_set ? strdup(list) : NULL;
    }
    return is_set;
}
