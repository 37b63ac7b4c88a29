// The floor of TCP echo (RFC 862): one read and one write a message, one buffer for the process, and a deadline for
// each connection whose timer is armed again only when it fires.

#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const ev_tstamp idle_limit = 300;    // without a byte from the peer
static const ev_tstamp stall_limit = 60;    // with output that the peer takes none of

struct connection {
    ev_io io;
    ev_timer timer;
    ev_tstamp active;       // when bytes last came or went
    char *output;           // what a short write left; nothing is read meanwhile
    uint32_t output_start;
    uint32_t output_length;
};

static char input[64 * 1024];

static void close_connection(struct ev_loop *loop, struct connection *c) {
    ev_io_stop(loop, &c->io);
    ev_timer_stop(loop, &c->timer);
    close(c->io.fd);
    free(c->output);
    free(c);
    descriptor_freed(loop);
}

static void arm(struct ev_loop *loop, struct connection *c) {
    c->timer.repeat = c->active + (c->output ? stall_limit : idle_limit) - ev_now(loop);
    ev_timer_again(loop, &c->timer);
}

static void timer_fired(struct ev_loop *loop, ev_timer *timer, int events) {
    (void)events;
    struct connection *c = timer->data;
    if (c->active + (c->output ? stall_limit : idle_limit) <= ev_now(loop)) close_connection(loop, c);
    else arm(loop, c);
}

static void readable(struct ev_loop *loop, struct connection *c) {
    ssize_t count = read(c->io.fd, input, sizeof input);
    if (count <= 0) {
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) close_connection(loop, c);
        return;
    }
    c->active = ev_now(loop);
    ssize_t written = send(c->io.fd, input, (size_t)count, MSG_NOSIGNAL);
    if (written == count) return;
    if (written < 0 && errno != EAGAIN && errno != EINTR) return close_connection(loop, c);
    if (written < 0) written = 0;
    c->output_start = 0;
    c->output_length = (uint32_t)(count - written);
    c->output = keep(input + written, c->output_length);
    if (!c->output) return close_connection(loop, c);
    watch(loop, &c->io, EV_WRITE);
    arm(loop, c);
}

static void writable(struct ev_loop *loop, struct connection *c) {
    ssize_t written = send(c->io.fd, c->output + c->output_start, c->output_length - c->output_start, MSG_NOSIGNAL);
    if (written < 0) {
        if (errno != EAGAIN && errno != EINTR) close_connection(loop, c);
        return;
    }
    c->active = ev_now(loop);
    c->output_start += (uint32_t)written;
    if (c->output_start < c->output_length) return;
    free(c->output);
    c->output = NULL;
    watch(loop, &c->io, EV_READ);
}

static void ready(struct ev_loop *loop, ev_io *io, int events) {
    if (events & EV_WRITE) writable(loop, (struct connection *)io);
    else readable(loop, (struct connection *)io);
}

static void serve(struct ev_loop *loop, int fd) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->active = ev_now(loop);
    ev_io_init(&c->io, ready, fd, EV_READ);
    ev_io_start(loop, &c->io);
    ev_init(&c->timer, timer_fired);
    c->timer.data = c;
    arm(loop, c);
}

void serve_echo(struct ev_loop *loop, int *port) { listen_with(loop, port, serve); }
