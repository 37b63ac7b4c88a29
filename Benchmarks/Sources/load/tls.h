// TLS 1.3 for a client, on OpenSSL, over non-blocking sockets. Every connection negotiates the same: AES_256_GCM_SHA384,
// and X25519 for keys; with a server that does not have them there is none. Who the server is, is not asked.
#ifndef LOAD_TLS_H
#define LOAD_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

enum tls_step {
    tls_done,
    tls_waits,     // for the socket
    tls_closed,    // by a close_notify
    tls_broken,    // see tls_reason()
};

SSL_CTX *tls_context(void);
SSL *tls_client(SSL_CTX *context, int fd);

// What the result of an OpenSSL function comes to. Call ERR_clear_error() before the function.
enum tls_step tls_step(SSL *ssl, int result);
// Why the last connection broke that did.
const char *tls_reason(void);

#endif
