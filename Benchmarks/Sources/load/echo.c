#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { words = 16, message_size = words * sizeof(uint32_t) };

struct client {
    int fd;
    uint32_t sequence;
    size_t received;
    uint32_t message[words];
    char answer[message_size];
};

// No two messages are alike, on one connection or on different ones: a mix-up is seen.
static void send_next(struct client *client, uint32_t index) {
    client->sequence++;
    client->received = 0;
    client->message[0] = index;
    for (uint32_t i = 1; i < words; i++) client->message[i] = client->sequence * 2654435761u + i;
    if (send(client->fd, client->message, message_size, MSG_NOSIGNAL) != message_size) fail("send");
}

// Returns true once the whole message has come back.
static bool receive(struct client *client) {
    ssize_t count = recv(client->fd, client->answer + client->received, message_size - client->received, MSG_DONTWAIT);
    if (count == 0) wrong("the server closed a connection");
    if (count < 0) {
        if (errno == EAGAIN || errno == EINTR) return false;
        fail("recv");
    }
    client->received += (size_t)count;
    if (client->received < message_size) return false;
    if (memcmp(client->message, client->answer, message_size) != 0) wrong("what came back is not what was sent");
    return true;
}

static struct client *clients;
static uint64_t round_trips;

static void ready(uint32_t index) {
    if (!receive(&clients[index])) return;
    round_trips++;
    send_next(&clients[index], index);
}

void load_echo(int port, int connections, double seconds) {
    int epoll = new_epoll(), on = 1;
    clients = calloc((size_t)connections, sizeof *clients);
    if (!clients) fail("no memory");
    for (int i = 0; i < connections; i++) {
        clients[i].fd = source_socket(SOCK_STREAM, i);
        if (!connect_to(clients[i].fd, port)) fail("connect");
        setsockopt(clients[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll, EPOLL_CTL_ADD, clients[i].fd, EPOLLIN, (uint32_t)i);
    }
    for (int i = 0; i < connections; i++) send_next(&clients[i], (uint32_t)i);
    double took = drive(epoll, seconds, ready);
    for (int i = 0; i < connections; i++) close_reset(clients[i].fd);
    printf("count=%llu seconds=%.6f\n", (unsigned long long)round_trips, took);
}
