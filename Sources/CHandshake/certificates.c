#define _GNU_SOURCE
#include "handshakes.h"
#include <dlfcn.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

typedef X509 *(*certificate_reader)(X509 **certificate, const unsigned char **bytes, long length);

// A larger certificate is rare. A certificate takes some twenty times its bytes in memory.
enum { knownBytesMax = 4096, allBytesMax = 512 << 10, tailBytes = 64 };

uint64_t rf_certificates_read(const rf_handshakes *handshakes) {
    return atomic_load(&handshakes->certificates_read);
}

static void forget(rf_handshakes *handshakes, rf_known_certificate *known) {
    X509_free(known->certificate);
    free(known->bytes);
    handshakes->known_bytes -= known->length;
    *known = (rf_known_certificate){NULL, NULL, 0};
}

void rf_forget_certificates(rf_handshakes *handshakes) {
    for(int place = 0; place < rf_known_certificates_max; place++) forget(handshakes, &handshakes->known[place]);
}

// FNV-1a over the end, where the signature is. A server can make certificates meet in one place. Then each of them is read each time, as
// without this module.
static rf_known_certificate *place_of(rf_handshakes *handshakes, const unsigned char *bytes, long length) {
    uint64_t hash = 14695981039346656037u;
    for(long index = length > tailBytes ? length - tailBytes : 0; index < length; index++)
        hash = (hash ^ bytes[index]) * 1099511628211u;
    return &handshakes->known[(hash ^ hash >> 32) % rf_known_certificates_max];
}

static void keep(
    rf_handshakes *handshakes, rf_known_certificate *known, X509 *certificate, const unsigned char *bytes, long length
) {
    forget(handshakes, known);
    // The places are emptied in turn, so that each certificate stays for a while.
    for(int count = 0; count < rf_known_certificates_max && handshakes->known_bytes + length > allBytesMax; count++) {
        forget(handshakes, &handshakes->known[handshakes->next_forgotten]);
        handshakes->next_forgotten = (handshakes->next_forgotten + 1) % rf_known_certificates_max;
    }
    unsigned char *copy = malloc((size_t)length);
    if(!copy || !X509_up_ref(certificate)) {
        free(copy);
        return;
    }
    memcpy(copy, bytes, (size_t)length);
    *known = (rf_known_certificate){certificate, copy, length};
    handshakes->known_bytes += length;
}

static X509 *read_anew(X509 **certificate, const unsigned char **bytes, long length) {
    certificate_reader read = (certificate_reader)dlsym(RTLD_NEXT, "d2i_X509");
    return read ? read(certificate, bytes, length) : NULL;
}

// libssl passes an empty certificate to be filled. It gets the known one in its place.
__attribute__((weak)) X509 *d2i_X509(X509 **certificate, const unsigned char **bytes, long length) {
    rf_handshakes *handshakes = rf_current_handshakes;
    if(!handshakes || !certificate || !*certificate || length <= 0) return read_anew(certificate, bytes, length);
    const unsigned char *first = *bytes;
    rf_known_certificate *known = length <= knownBytesMax ? place_of(handshakes, first, length) : NULL;
    if(known && known->length == length && memcmp(known->bytes, first, (size_t)length) == 0 && X509_up_ref(known->certificate)) {
        X509_free(*certificate);
        *certificate = known->certificate;
        *bytes += length;
        return *certificate;
    }
    atomic_fetch_add(&handshakes->certificates_read, 1);
    X509 *made = read_anew(certificate, bytes, length);
    if(made && known && *bytes == first + length) keep(handshakes, known, made, first, length);
    return made;
}
