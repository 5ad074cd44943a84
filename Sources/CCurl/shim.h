// What Swift can't import of libcurl, OpenSSL and Linux: variadic setters, one static inline function for each shape of
// argument; macros; and the few looks at a TLS handshake that libcurl doesn't offer. No decisions are made here.
#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// As `ps -L` and gdb show the calling thread; at most 15 bytes.
static inline void rf_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

// Sets up the calling thread's resolver for one lookup, from resolv.conf as it is now; answers an errno. Without `search`, a name that has a
// dot is asked as it stands and never with a search domain behind it; one without a dot is as ever. glibc takes a thread's options as they
// are when it finds them changed, and reads no resolv.conf again then: so both are done anew each time, which takes 1.5 microseconds.
static inline int rf_set_up_resolver(int search) {
    // One that was never set up is all zeros, and closing it would close descriptor 0.
    if(_res.options & RES_INIT) res_nclose(&_res);
    if(res_ninit(&_res) != 0) return errno ? errno : ENOMEM;
    if(!search) _res.options &= ~(unsigned long)RES_DNSRCH;
    return 0;
}

// Whether the calling thread's resolver, as it was set up, knows a search domain.
static inline int rf_has_search_domains(void) { return _res.dnsrch[0] != NULL && _res.dnsrch[0][0] != 0; }

// Of getaddrinfo's codes those that say for certain that there is no address. EAI_NODATA has its name from _GNU_SOURCE only.
static inline int rf_is_without_address(int code) { return code == EAI_NONAME || code == -5; }

// The bundle of certificates that libcurl was built to use; NULL when it knows none.
static inline const char *rf_default_bundle(void) {
    return curl_version_info(CURLVERSION_NOW)->cainfo;
}

// curl_easy_setopt

static inline CURLcode rf_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode rf_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode rf_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode rf_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

// libcurl keeps a copy.
static inline CURLcode rf_set_blob(CURL *easy, CURLoption option, const void *data, size_t length) {
    struct curl_blob blob = {(void *)data, length, CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, &blob);
}

static inline CURLcode rf_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode rf_set_sink(CURL *easy, CURLoption option, curl_write_callback function) {
    return curl_easy_setopt(easy, option, function);
}

static inline CURLcode rf_set_progress_function(CURL *easy, curl_xferinfo_callback function) {
    return curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, function);
}

static inline CURLcode rf_set_debug_function(CURL *easy, curl_debug_callback function) {
    return curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, function);
}

static inline CURLcode rf_set_opensocket_function(CURL *easy, curl_opensocket_callback function) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}

static inline CURLcode rf_set_closesocket_function(CURL *easy, curl_closesocket_callback function) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, function);
}

static inline CURLcode rf_set_prereq_function(CURL *easy, curl_prereq_callback function) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
}

static inline CURLcode rf_set_ssl_ctx_function(CURL *easy, curl_ssl_ctx_callback function) {
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, function);
}

// curl_easy_getinfo; what can't be had is -1 or NULL.

static inline long rf_get_long(CURL *easy, CURLINFO info) {
    long value = -1;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : -1;
}

static inline curl_off_t rf_get_offset(CURL *easy, CURLINFO info) {
    curl_off_t value = -1;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : -1;
}

static inline const char *rf_get_string(CURL *easy, CURLINFO info) {
    char *value = NULL;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : NULL;
}

static inline void *rf_get_private(CURL *easy) {
    char *value = NULL;
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

// Of a transfer that is done; -1 when libcurl has closed it.
static inline curl_socket_t rf_get_socket(CURL *easy) {
    curl_socket_t value = CURL_SOCKET_BAD;
    return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &value) == CURLE_OK ? value : CURL_SOCKET_BAD;
}

// The TLS connection of a transfer under way, from inside one of its callbacks; NULL without TLS.
static inline SSL *rf_get_ssl(CURL *easy) {
    struct curl_tlssessioninfo *session = NULL;
    if(curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session) return NULL;
    return session->backend == CURLSSLBACKEND_OPENSSL ? (SSL *)session->internals : NULL;
}

// curl_multi_setopt

static inline CURLMcode rf_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode rf_multi_set_socket_function(CURLM *multi, curl_socket_callback function, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    return code ? code : curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
}

static inline CURLMcode rf_multi_set_timer_function(CURLM *multi, curl_multi_timer_callback function, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    return code ? code : curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
}

// The handshake, seen from OpenSSL

// A bundle of authorities with the flags that libcurl gives its own; NULL when the file can't be read.
static inline X509_STORE *rf_read_authorities(const char *path) {
    X509_STORE *store = X509_STORE_new();
    if(store && X509_STORE_load_file(store, path) == 1 &&
       X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN) == 1)
        return store;
    X509_STORE_free(store);
    // Left there, the error would be told of another connection.
    ERR_clear_error();
    return NULL;
}

// An index under which each SSL keeps its witness: `begin` is called with it when an SSL is made, `release` when an SSL is freed.
static inline int rf_witness_index(CRYPTO_EX_new *begin, CRYPTO_EX_free *release) {
    return SSL_get_ex_new_index(0, NULL, begin, NULL, release);
}

// An index under which each SSL_CTX keeps whether it was prepared.
static inline int rf_preparation_index(void) {
    return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

typedef void (*rf_message_callback)(int, int, int, const void *, size_t, SSL *, void *);

typedef int (*rf_security_callback)(const SSL *, const SSL_CTX *, int, int, int, void *, void *);

// OpenSSL's own rule, which `usual` is, and no Diffie-Hellman over finite fields: the server chooses the group, and one of 10,000 bits takes
// more than a second of our time. A list of ciphers without it would say the same, but reading one takes a hundredth of a handshake.
static inline int rf_is_secure(const SSL *ssl, const SSL_CTX *context, int operation, int bits, int id, void *other, void *usual) {
    if((operation & SSL_SECOP_OTHER_TYPE) == SSL_SECOP_OTHER_CIPHER && SSL_CIPHER_get_kx_nid((const SSL_CIPHER *)other) == NID_kx_dhe)
        return 0;
    return ((rf_security_callback)usual)(ssl, context, operation, bits, id, other, NULL);
}

// Has the next SSL of the context trust `authorities` and nobody else, and `verify` called for each certificate that OpenSSL judges. The
// store is one for verification alone: OpenSSL copies a reference to it into the SSL, while the SSL_CTX's own store is that of every SSL.
static inline int rf_trust(SSL_CTX *context, X509_STORE *authorities, SSL_verify_cb verify, int refuses) {
    // Without SSL_VERIFY_PEER the callback is asked all the same, and the handshake goes on whatever it says.
    SSL_CTX_set_verify(context, refuses ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, verify);
    return SSL_CTX_set1_verify_cert_store(context, authorities) == 1;
}

// What all connections have in common, once for each SSL_CTX: has `message` called for each message of the handshake and after.
// Renegotiation is refused: it would come back to a witness whose transfer is over. Groups are elliptic only, as in `rf_is_secure`.
static inline int rf_prepare_context(SSL_CTX *context, int index, rf_message_callback message) {
    static const int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_X448, NID_secp384r1, NID_secp521r1};
    if(SSL_CTX_get_ex_data(context, index)) return 1;
    if(SSL_CTX_set1_groups(context, groups, sizeof groups / sizeof groups[0]) != 1) return 0;
    if(!SSL_CTX_set_ex_data(context, index, context)) return 0;
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_msg_callback(context, message);
    SSL_CTX_set0_security_ex_data(context, (void *)SSL_CTX_get_security_callback(context));
    SSL_CTX_set_security_callback(context, rf_is_secure);
    return 1;
}

static inline SSL *rf_ssl_of(X509_STORE_CTX *verification) {
    return (SSL *)X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
}

static inline void *rf_witness_of(SSL *ssl, int index) {
    return ssl ? SSL_get_ex_data(ssl, index) : NULL;
}

// The certificates as the peer sent them, leaf first.
static inline const STACK_OF(X509) *rf_sent_certificates(X509_STORE_CTX *verification) {
    return X509_STORE_CTX_get0_untrusted(verification);
}

static inline const STACK_OF(X509) *rf_peer_certificates(SSL *ssl) {
    return SSL_get_peer_cert_chain(ssl);
}

// From the leaf to the authority that is trusted: those that verification took. NULL before it, and where the chain was refused.
static inline const STACK_OF(X509) *rf_verified_chain(const SSL *ssl) {
    return SSL_get_verify_result(ssl) == X509_V_OK ? SSL_get0_verified_chain(ssl) : NULL;
}

// The same in a verification under way, as far as it has come.
static inline const STACK_OF(X509) *rf_chain_of(X509_STORE_CTX *verification) {
    return X509_STORE_CTX_get0_chain(verification);
}

// IANA's name; NULL before a cipher was agreed on.
static inline const char *rf_cipher_name(const SSL *ssl) {
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    return cipher ? SSL_CIPHER_standard_name(cipher) : NULL;
}

// SHA-256 of the DER form, 32 bytes; 0 when it can't be had.
static inline int rf_fingerprint(const X509 *certificate, unsigned char *bytes) {
    return X509_digest(certificate, EVP_sha256(), bytes, NULL);
}

static inline int rf_certificate_count(const STACK_OF(X509) *chain) {
    return chain ? sk_X509_num(chain) : 0;
}

static inline X509 *rf_certificate_at(const STACK_OF(X509) *chain, int index) {
    return sk_X509_value(chain, index);
}

// Bytes of its DER form.
static inline int rf_certificate_bytes(const X509 *certificate) { return i2d_X509(certificate, NULL); }

// Seconds since 1970, or INT64_MIN when the certificate's time can't be read.
static inline int64_t rf_seconds(const ASN1_TIME *time) {
    struct tm parts;
    memset(&parts, 0, sizeof parts);
    if(!time || !ASN1_TIME_to_tm(time, &parts)) return INT64_MIN;
    return (int64_t)timegm(&parts);
}

// The names that a certificate is for; NULL when it has none. To be freed with GENERAL_NAMES_free.
static inline GENERAL_NAMES *rf_alternative_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline int rf_alternative_name_count(const GENERAL_NAMES *names) {
    return names ? sk_GENERAL_NAME_num(names) : 0;
}

static inline int rf_is_host_name(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index)->type == GEN_DNS;
}

// A host's name as it stands or an address in text, cut at `size`; answers the number of bytes, 0 for a name of another kind.
static inline int rf_alternative_name(const GENERAL_NAMES *names, int index, char *text, int size) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if(name->type != GEN_DNS && name->type != GEN_IPADD) return 0;
    const ASN1_STRING *value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    int length = ASN1_STRING_length(value);
    if(name->type == GEN_IPADD) {
        int family = length == 4 ? AF_INET : length == 16 ? AF_INET6 : AF_UNSPEC;
        return inet_ntop(family, bytes, text, (socklen_t)size) ? (int)strlen(text) : 0;
    }
    if(length > size) length = size;
    memcpy(text, bytes, (size_t)length);
    return length;
}

// RFC 2253's form in UTF-8, cut at `size`; answers the number of bytes written, without a NUL.
static inline int rf_name_text(const X509_NAME *name, char *text, int size) {
    BIO *memory = name ? BIO_new(BIO_s_mem()) : NULL;
    if(!memory) return 0;
    X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    int count = BIO_read(memory, text, size);
    BIO_free(memory);
    return count > 0 ? count : 0;
}
