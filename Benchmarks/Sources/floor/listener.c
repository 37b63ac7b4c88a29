#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static ev_io listener;
static bool accepting_paused;
static void (*serve_connection)(struct ev_loop *loop, int fd);

int bound_socket(int type, int *port) {
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) fail("socket");
    if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)*port)};
    socklen_t size = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, size) < 0) fail("bind");
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) fail("getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

static void acceptable(struct ev_loop *loop, ev_io *io, int events) {
    (void)events;
    while (true) {
        int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                ev_io_stop(loop, io);    // level-triggered: it would spin until a descriptor is free
                accepting_paused = true;
            }
            return;
        }
        serve_connection(loop, fd);
    }
}

void listen_with(struct ev_loop *loop, int *port, void (*serve)(struct ev_loop *loop, int fd)) {
    int fd = bound_socket(SOCK_STREAM, port), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);    // connections inherit it
    if (listen(fd, SOMAXCONN) < 0) fail("listen");
    serve_connection = serve;
    ev_io_init(&listener, acceptable, fd, EV_READ);
    ev_io_start(loop, &listener);
}

void descriptor_freed(struct ev_loop *loop) {
    if (!accepting_paused) return;
    accepting_paused = false;
    ev_io_start(loop, &listener);
}

void watch(struct ev_loop *loop, ev_io *io, int events) {
    ev_io_stop(loop, io);
    ev_io_modify(io, events);
    ev_io_start(loop, io);
}

char *keep(const char *bytes, size_t length) {
    char *copy = malloc(length);
    if (copy) memcpy(copy, bytes, length);
    return copy;
}
