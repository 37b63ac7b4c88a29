#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { max_answer = 1024, max_failures = 1000 };

struct client {
    int fd;
    bool requested;
    size_t received;
    char answer[max_answer];
};

static int epoll, server_port;
static uint64_t answered, failures;

static void advance(struct client *client, int index);

static void begin(struct client *client, int index) {
    client->fd = source_socket(SOCK_STREAM | SOCK_NONBLOCK, index);
    client->requested = false;
    client->received = 0;
    if (!connect_to(client->fd, server_port) && errno != EINPROGRESS) fail("connect");
    watch(epoll, EPOLL_CTL_ADD, client->fd, EPOLLIN | EPOLLOUT, (uint32_t)index);
}

static void end(struct client *client, int index, bool succeeded) {
    // The server has closed by now; a reset removes what both kernels still keep of the connection.
    close_reset(client->fd);
    if (succeeded) answered++;
    else if (++failures > max_failures) wrong("more than a thousand connections failed");
    begin(client, index);
}

static void make_request(struct client *client, int index) {
    ssize_t sent = send(client->fd, plaintext_request, plaintext_request_size, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
    if (sent != (ssize_t)plaintext_request_size) return end(client, index, false);
    client->requested = true;
    watch(epoll, EPOLL_CTL_MOD, client->fd, EPOLLIN, (uint32_t)index);
}

// A whole answer and then the end: a connection that is cut off has failed.
static void advance(struct client *client, int index) {
    if (!client->requested) return make_request(client, index);
    while (true) {
        if (client->received == max_answer) wrong("the answer is too long");
        ssize_t count = recv(client->fd, client->answer + client->received, max_answer - client->received, 0);
        if (count < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            return end(client, index, false);
        }
        if (count == 0) {
            check_plaintext(client->answer, client->received);
            return end(client, index, true);
        }
        client->received += (size_t)count;
    }
}

static struct client *clients;
static void ready(uint32_t index) { advance(&clients[index], (int)index); }

void load_short_connections(int port, int connections, double seconds) {
    clients = calloc((size_t)connections, sizeof *clients);
    if (!clients) fail("no memory");
    epoll = new_epoll();
    server_port = port;
    for (int i = 0; i < connections; i++) begin(&clients[i], i);
    double took = drive(epoll, seconds, ready);
    for (int i = 0; i < connections; i++) close_reset(clients[i].fd);
    printf("count=%llu seconds=%.6f failures=%llu\n", (unsigned long long)answered, took,
           (unsigned long long)failures);
}
