// The floor of UDP echo (RFC 862): as many datagrams as wait are moved by one system call each way. With a batch of one
// it makes the plain calls. A datagram that the socket has no room for is dropped, as UDP may.

#define _GNU_SOURCE
#include "floor.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    max_datagram = 65536,
    max_rounds = 16,    // batches in a turn
};

static ev_io io;
static int batch;
static char *buffers;
static struct mmsghdr *messages;
static struct iovec *parts;
static struct sockaddr_in *peers;

static int echo_one(int fd) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    ssize_t count = recvfrom(fd, buffers, max_datagram, 0, (struct sockaddr *)&peer, &size);
    if (count < 0) return 0;
    sendto(fd, buffers, (size_t)count, 0, (struct sockaddr *)&peer, size);
    return 1;
}

static int echo_batch(int fd) {
    for (int i = 0; i < batch; i++) {
        parts[i].iov_len = max_datagram;
        messages[i].msg_hdr.msg_namelen = sizeof peers[i];
    }
    int count = recvmmsg(fd, messages, (unsigned)batch, 0, NULL);
    if (count <= 0) return 0;
    for (int i = 0; i < count; i++) parts[i].iov_len = messages[i].msg_len;
    for (int sent = 0; sent < count;) {
        int more = sendmmsg(fd, messages + sent, (unsigned)(count - sent), 0);
        sent += more > 0 ? more : 1;
    }
    return count;
}

static void ready(struct ev_loop *loop, ev_io *watcher, int events) {
    (void)loop;
    (void)events;
    for (int round = 0; round < max_rounds; round++) {
        int count = batch == 1 ? echo_one(watcher->fd) : echo_batch(watcher->fd);
        if (count < batch) return;
    }
}

void serve_udp_echo(struct ev_loop *loop, int *port, int datagrams) {
    batch = datagrams;
    buffers = malloc((size_t)batch * max_datagram);
    messages = calloc((size_t)batch, sizeof *messages);
    parts = calloc((size_t)batch, sizeof *parts);
    peers = calloc((size_t)batch, sizeof *peers);
    if (!buffers || !messages || !parts || !peers) fail("no memory");
    for (int i = 0; i < batch; i++) {
        parts[i].iov_base = buffers + (size_t)i * max_datagram;
        messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i], .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    ev_io_init(&io, ready, bound_socket(SOCK_DGRAM, port), EV_READ);
    ev_io_start(loop, &io);
}
