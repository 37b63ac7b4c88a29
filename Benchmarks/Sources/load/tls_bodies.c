#define _GNU_SOURCE
#include "load.h"
#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { max_head = 2048, body_size = 1024 * 1024, chunk_size = 64 * 1024 };

static const char request[] = "GET /mebibyte HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char status[] = "HTTP/1.1 200 ", length_field[] = "\r\nContent-Length: 1048576\r\n";

struct client {
    SSL *ssl;
    bool requested;
    size_t head_length;
    char head[max_head + 1];
    bool in_body;
    size_t received;    // of the body
};

static uint32_t body[body_size / sizeof(uint32_t)];
static uint64_t total;

static void make_request(struct client *client) {
    client->in_body = false;
    client->head_length = client->received = 0;
    if (tls_step(client->ssl, SSL_write(client->ssl, request, (int)(sizeof request - 1))) != tls_done) {
        wrong("a request could not be sent");
    }
    client->requested = true;
}

// Returns how many of the bytes belong to the head.
static size_t take_head(struct client *client, const char *bytes, size_t length) {
    size_t before = client->head_length, room = max_head - before, count = length < room ? length : room;
    memcpy(client->head + before, bytes, count);
    client->head[before + count] = 0;
    char *end = strstr(client->head, "\r\n\r\n");
    if (!end) {
        if (count == room) wrong("the head of the answer is too long");
        client->head_length += count;
        return count;
    }
    if (strncmp(client->head, status, sizeof status - 1) != 0 || !strcasestr(client->head, length_field)) {
        wrong("the answer is not a file of 1 MiB");
    }
    client->in_body = true;
    return (size_t)(end + 4 - client->head) - before;
}

static void take(struct client *client, const char *bytes, size_t length) {
    size_t head = client->in_body ? 0 : take_head(client, bytes, length);
    bytes += head;
    length -= head;
    if (length > body_size - client->received || memcmp(bytes, (char *)body + client->received, length) != 0) {
        wrong("the body is not the file's");
    }
    client->received += length;
    total += length;
    if (client->received == body_size) make_request(client);
}

static void broken(enum tls_step step) {
    fprintf(stderr, "load: a connection broke: %s\n", step == tls_closed ? "the server closed it" : tls_reason());
    exit(1);
}

static void advance(struct client *client) {
    static char chunk[chunk_size];
    ERR_clear_error();
    errno = 0;
    if (!client->requested) {
        enum tls_step step = tls_step(client->ssl, SSL_do_handshake(client->ssl));
        if (step == tls_waits) return;
        if (step != tls_done) broken(step);
        make_request(client);
    }
    // Level-triggered, but epoll knows nothing of what OpenSSL has read ahead.
    do {
        int count = SSL_read(client->ssl, chunk, sizeof chunk);
        enum tls_step step = tls_step(client->ssl, count);
        if (step == tls_waits) return;
        if (step != tls_done) broken(step);
        take(client, chunk, (size_t)count);
    } while (SSL_has_pending(client->ssl));
}

static struct client *clients;
static void ready(uint32_t index) { advance(&clients[index]); }

void load_tls_bodies(int port, int connections, double seconds) {
    clients = calloc((size_t)connections, sizeof *clients);
    if (!clients) fail("no memory");
    for (uint32_t i = 0; i < body_size / sizeof(uint32_t); i++) body[i] = i * 2654435761u;
    SSL_CTX *context = tls_context();
    int epoll = new_epoll();
    for (int i = 0; i < connections; i++) {
        int fd = source_socket(SOCK_STREAM | SOCK_NONBLOCK, i);
        if (!connect_to(fd, port) && errno != EINPROGRESS) fail("connect");
        clients[i].ssl = tls_client(context, fd);
        watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, (uint32_t)i);
        advance(&clients[i]);
    }
    double took = drive(epoll, seconds, ready);
    for (int i = 0; i < connections; i++) close_reset(SSL_get_fd(clients[i].ssl));
    printf("count=%llu seconds=%.6f\n", (unsigned long long)total, took);
}
