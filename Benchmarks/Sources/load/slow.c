#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const double tick = 0.1;
static const char request[] = "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n";
enum { request_size = sizeof request - 1 };
// What readers ask for, a hundred times at once: more than any server's kernel takes in.
static const char large_request[] = "GET /bytes?n=65536 HTTP/1.1\r\nHost: localhost\r\n\r\n";
enum { large_size = sizeof large_request - 1, requests_ahead = 100, block_size = requests_ahead * large_size };
static char block[block_size];

struct client {
    int fd;
    size_t sent;    // bytes of the request, or of all requests ahead
};

static bool readers;
static uint64_t moved, cut_off;

static void begin(struct client *client, int index, int port) {
    client->fd = source_socket(SOCK_STREAM | SOCK_NONBLOCK, index);
    client->sent = 0;
    // So little that the server cannot get rid of its answers.
    int room = 2048;
    if (readers) setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (!connect_to(client->fd, port) && errno != EINPROGRESS) fail("connect");
}

static bool may_go_on(ssize_t count) { return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)); }

// Asks for more than the server can get rid of, and reads a byte of it. False: the server has cut it off.
static bool read_slowly(struct client *client) {
    if (client->sent < block_size) {
        ssize_t count = send(client->fd, block + client->sent, block_size - client->sent, MSG_NOSIGNAL);
        if (!may_go_on(count)) return false;
        if (count > 0) client->sent += (size_t)count;
    }
    char byte;
    ssize_t count = recv(client->fd, &byte, 1, 0);
    if (count > 0) moved++;
    return may_go_on(count);
}

// Sends one byte of the request, and takes the answer when it is there.
static bool send_slowly(struct client *client) {
    ssize_t count = send(client->fd, request + client->sent % request_size, 1, MSG_NOSIGNAL);
    if (!may_go_on(count)) return false;
    if (count > 0) {
        client->sent++;
        moved++;
    }
    char answer[4096];
    return may_go_on(recv(client->fd, answer, sizeof answer, 0));
}

void load_slow(int port, int connections, double seconds, bool are_readers) {
    struct client *clients = calloc((size_t)connections, sizeof *clients);
    if (!clients) fail("no memory");
    readers = are_readers;
    for (int i = 0; i < requests_ahead; i++) memcpy(block + i * large_size, large_request, large_size);
    double began = now();
    for (int i = 0; i < connections; i++) begin(&clients[i], i, port);
    // A tenth of them at a time, so that they do not all come at once.
    for (int turn = 0; now() < began + seconds; turn++) {
        for (int i = turn % 10; i < connections; i += 10) {
            if (readers ? read_slowly(&clients[i]) : send_slowly(&clients[i])) continue;
            cut_off++;
            close_reset(clients[i].fd);
            begin(&clients[i], i, port);
        }
        struct timespec pause = {.tv_nsec = (long)(tick / 10 * 1e9)};
        nanosleep(&pause, NULL);
    }
    double took = now() - began;
    for (int i = 0; i < connections; i++) close_reset(clients[i].fd);
    printf("count=%llu seconds=%.6f failures=%llu\n", (unsigned long long)moved, took, (unsigned long long)cut_off);
}
