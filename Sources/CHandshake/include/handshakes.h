// What one TLS handshake takes over from earlier handshakes: the SSL_CTX, and certificates that were read already.
//
// libcurl makes an SSL_CTX for each connection. OpenSSL 3.0 then asks its providers for every cipher, group and signature algorithm, which
// is a seventh of a handshake's CPU time. To read libcurl's list of ciphers is a twentieth. libcurl has no option for either. So this
// module stands between libcurl and OpenSSL at SSL_CTX_new() and SSL_CTX_set_cipher_list(): the dynamic linker looks in the program first.
// In a turn, a thread gets the same SSL_CTX each time, with one more reference.
// libcurl sets up the SSL_CTX and makes an SSL of it in the same call. What differs between two connections is set anew for each of them:
// ALPN, the callback for verification, the store of authorities. OpenSSL copies these into the SSL. All else is the same for every
// connection.
// A client's certificate is the exception. libcurl puts it into the SSL_CTX, and nothing takes it out. Then no SSL_CTX may be shared.
//
// To read a certificate is a fifth of a handshake's CPU time: OpenSSL 3.0 looks for a decoder for the key among all decoders that it has. A
// server shows the same certificates at each handshake. So this module also stands between libssl and libcrypto, at d2i_X509(). In a turn,
// bytes that were seen before are answered with the certificate that was read. Each handshake verifies its certificates all the same.
//
// An OpenSSL that is linked statically calls its own functions. Then every handshake takes longer, and nothing else changes.
#pragma once
#include <stdint.h>

// Belongs to one thread.
typedef struct rf_handshakes rf_handshakes;

// NULL without memory.
rf_handshakes *rf_handshakes_new(void);

// A connection that has the SSL_CTX keeps it.
void rf_handshakes_free(rf_handshakes *handshakes);

// A turn of the calling thread begins. Until its end the thread takes certificates from `handshakes`. It takes the SSL_CTX from there, too,
// unless `shares_context` is 0. With NULL nothing is taken.
void rf_handshakes_begin(rf_handshakes *handshakes, int shares_context);
void rf_handshakes_end(void);

// How often OpenSSL itself had to make an SSL_CTX in a turn, and to read a certificate. Any thread may ask.
uint64_t rf_contexts_made(const rf_handshakes *handshakes);
uint64_t rf_certificates_read(const rf_handshakes *handshakes);

// Offers an observer to the next SSL that the calling thread makes. The callback that OpenSSL calls in SSL_new() takes the observer, and
// gets NULL where none is offered. An offer ends with the turn.
void rf_offer_observer(void *observer);
void *rf_take_observer(void);
