// What the files of this module share.
#pragma once
#include "include/handshakes.h"
#include <openssl/ssl.h>
#include <stdatomic.h>

typedef struct {
    X509 *certificate;
    // The DER form.
    unsigned char *bytes;
    long length;
} rf_known_certificate;

// Some 10 MiB at most: certificates.c bounds the sum of the bytes.
enum { rf_known_certificates_max = 512 };

struct rf_handshakes {
    SSL_CTX *context;
    const SSL_METHOD *method;
    // The list that was set last.
    char *ciphers;
    // The bytes of a certificate say which place is its place.
    rf_known_certificate known[rf_known_certificates_max];
    // Of all DER forms in `known`.
    long known_bytes;
    // The place that is emptied next when the bytes are too many.
    int next_forgotten;
    _Atomic uint64_t contexts_made, certificates_read;
};

// Those of the calling thread's turn; NULL outside a turn.
extern _Thread_local rf_handshakes *rf_current_handshakes;

void rf_forget_certificates(rf_handshakes *handshakes);
