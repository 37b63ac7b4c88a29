#define _GNU_SOURCE
#include "tls.h"
#include "load.h"

#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { read_ahead = 64 * 1024 };

static char reason[256] = "none";

SSL_CTX *tls_context(void) {
    signal(SIGPIPE, SIG_IGN);    // OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519") != 1) {
        wrong("OpenSSL has no TLS 1.3 with AES-256-GCM and X25519");
    }
    // One system call for what waits in the socket rather than two for each record.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, read_ahead);
    return context;
}

SSL *tls_client(SSL_CTX *context, int fd) {
    SSL *ssl = SSL_new(context);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) wrong("no memory for a TLS connection");
    SSL_set_connect_state(ssl);
    return ssl;
}

enum tls_step tls_step(SSL *ssl, int result) {
    if (result > 0) return tls_done;
    int code = errno;
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return tls_waits;
    case SSL_ERROR_ZERO_RETURN: return tls_closed;
    case SSL_ERROR_SSL: {
        const char *known = ERR_reason_error_string(ERR_peek_error());
        snprintf(reason, sizeof reason, "%s", known ? known : "a TLS error without a name");
        return tls_broken;
    }
    default:
        snprintf(reason, sizeof reason, "%s", code ? strerror(code) : "the connection ended");
        return tls_broken;
    }
}

const char *tls_reason(void) { return reason; }
