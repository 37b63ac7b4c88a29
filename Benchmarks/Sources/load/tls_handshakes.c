#define _GNU_SOURCE
#include "load.h"
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { max_answer = 1024, max_failures = 1000 };

enum state {
    shaking_hands,
    asked,
    closing,    // both have sent a close_notify; the end of the connection is missing
};

struct client {
    int fd;
    enum state state;
    SSL *ssl;
    SSL_SESSION *session;    // the newest that the server gave
    bool resuming;
    uint64_t tickets;
    size_t received;
    char answer[max_answer];
};

static SSL_CTX *context;
static bool resumes;
static int epoll, server_port;
static uint64_t counted, failures, tickets;

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    struct client *client = SSL_get_app_data(ssl);
    client->tickets++;
    if (!resumes) return 0;
    SSL_SESSION_free(client->session);
    client->session = session;
    return 1;
}

static void begin(struct client *client, int index) {
    client->fd = source_socket(SOCK_STREAM | SOCK_NONBLOCK, index);
    client->state = shaking_hands;
    client->tickets = client->received = 0;
    client->ssl = tls_client(context, client->fd);
    SSL_set_app_data(client->ssl, client);
    client->resuming = client->session != NULL;
    if (client->resuming && SSL_set_session(client->ssl, client->session) != 1) wrong("a session cannot be resumed");
    if (!connect_to(client->fd, server_port) && errno != EINPROGRESS) fail("connect");
    // Edge-triggered: whoever is called reads until there is no more, so interest never changes.
    watch(epoll, EPOLL_CTL_ADD, client->fd, EPOLLIN | EPOLLOUT | EPOLLET, (uint32_t)index);
}

static void end(struct client *client, int index, bool succeeded) {
    SSL_free(client->ssl);
    close_reset(client->fd);
    // A ticket is for one connection (RFC 8446, appendix C.4): OpenSSL uses none twice.
    if (succeeded && resumes && client->tickets == 0) {
        wrong(client->resuming ? "the server gave no new ticket for the next connection" : "the server gave no ticket");
    }
    // The first connection of each client has nothing to resume, and is not counted.
    if (succeeded && client->resuming == resumes) {
        counted++;
        tickets += client->tickets;
    } else if (!succeeded && ++failures > max_failures) {
        fprintf(stderr, "load: more than a thousand connections failed; the last: %s\n", tls_reason());
        exit(1);
    }
    begin(client, index);
}

static enum tls_step shake_hands(struct client *client) {
    enum tls_step step = tls_step(client->ssl, SSL_do_handshake(client->ssl));
    if (step != tls_done) return step == tls_closed ? tls_broken : step;
    if (client->resuming && !SSL_session_reused(client->ssl)) wrong("a session was not resumed");
    client->state = asked;
    return tls_step(client->ssl, SSL_write(client->ssl, plaintext_request, (int)plaintext_request_size));
}

static enum tls_step receive(struct client *client) {
    while (true) {
        if (client->received == max_answer) wrong("the answer is too long");
        int room = (int)(max_answer - client->received);
        int count = SSL_read(client->ssl, client->answer + client->received, room);
        enum tls_step step = tls_step(client->ssl, count);
        if (step == tls_done) {
            client->received += (size_t)count;
            continue;
        }
        if (step != tls_closed) return step;
        check_plaintext(client->answer, client->received);
        SSL_shutdown(client->ssl);    // the server need not wait for it
        client->state = closing;
        return tls_done;
    }
}

// A whole answer, a close_notify and the end: a connection that is cut off before has failed.
static void advance(struct client *client, int index) {
    ERR_clear_error();
    errno = 0;
    enum tls_step step = tls_done;
    if (client->state == shaking_hands) step = shake_hands(client);
    if (step == tls_done && client->state == asked) step = receive(client);
    if (step == tls_broken) return end(client, index, false);
    if (client->state != closing) return;
    char rest[256];
    ssize_t count;
    while ((count = recv(client->fd, rest, sizeof rest, 0)) > 0) {}
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    end(client, index, true);
}

static struct client *clients;
static void ready(uint32_t index) { advance(&clients[index], (int)index); }

void load_tls_handshakes(int port, int connections, double seconds, bool resumed) {
    clients = calloc((size_t)connections, sizeof *clients);
    if (!clients) fail("no memory");
    context = tls_context();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    epoll = new_epoll();
    server_port = port;
    resumes = resumed;
    for (int i = 0; i < connections; i++) begin(&clients[i], i);
    double took = drive(epoll, seconds, ready);
    for (int i = 0; i < connections; i++) close_reset(clients[i].fd);
    if (counted == 0) {
        fprintf(stderr, "load: no connection succeeded, %llu failed; the last: %s\n", (unsigned long long)failures,
                tls_reason());
        exit(1);
    }
    printf("count=%llu seconds=%.6f failures=%llu tickets=%llu\n", (unsigned long long)counted, took,
           (unsigned long long)failures, (unsigned long long)tickets);
}
