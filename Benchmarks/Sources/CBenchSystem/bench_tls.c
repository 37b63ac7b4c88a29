#define _GNU_SOURCE
#include "bench_system.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static SSL_CTX *context;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_context(void) {
    signal(SIGPIPE, SIG_IGN);    // OpenSSL writes without MSG_NOSIGNAL
    context = SSL_CTX_new(TLS_client_method());
    // Thousands of idle connections keep no buffers.
    if (context) SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
}

static void explain(char *text, size_t size) {
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    snprintf(text, size, "%s", reason ? reason : "the connection ended");
}

bench_tls *bench_tls_connect(int fd, char *text, size_t size) {
    pthread_once(&once, make_context);
    ERR_clear_error();
    SSL *ssl = context ? SSL_new(context) : NULL;
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1) {
        explain(text, size);
        SSL_free(ssl);
        return NULL;
    }
    const char *group = SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl));
    snprintf(text, size, "%s %s %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl), group ? group : "?");
    return (bench_tls *)ssl;
}

ssize_t bench_tls_send(bench_tls *tls, const void *bytes, size_t length) {
    size_t sent;
    ERR_clear_error();
    errno = 0;
    if (SSL_write_ex((SSL *)tls, bytes, length, &sent) == 1) return (ssize_t)sent;
    if (errno == 0) errno = EPROTO;
    return -1;
}

ssize_t bench_tls_recv(bench_tls *tls, void *bytes, size_t length) {
    size_t received;
    ERR_clear_error();
    errno = 0;
    if (SSL_read_ex((SSL *)tls, bytes, length, &received) == 1) return (ssize_t)received;
    if (SSL_get_error((SSL *)tls, 0) == SSL_ERROR_ZERO_RETURN) return 0;
    if (errno == 0) errno = EPROTO;    // also the end without a close_notify
    return -1;
}

void bench_tls_free(bench_tls *tls) { SSL_free((SSL *)tls); }

const char *bench_tls_version(void) { return OpenSSL_version(OPENSSL_VERSION_STRING); }
