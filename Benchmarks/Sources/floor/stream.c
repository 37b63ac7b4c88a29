#define _GNU_SOURCE
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { read_size = 64 * 1024, output_size = 512 * 1024 };

static const struct protocol *protocol;
static char input[max_tail + read_size];
static char output[output_size];
static size_t output_length;
static bool out_of_room;
// Sent before `output`.
static const char *lasting;
static size_t lasting_length;

bool has_room(size_t length) {
    out_of_room = length + max_refusal > output_size - output_length;
    return !out_of_room;
}

void gather(const char *bytes, size_t length) {
    memcpy(output + output_length, bytes, length);
    output_length += length;
}

void gather_lasting(const char *bytes, size_t length) {
    if (lasting_length > 0 || output_length > 0) return gather(bytes, length);
    lasting = bytes;
    lasting_length = length;
}

const char *new_date(time_t now) {
    static time_t second = -1;
    static char text[date_length + 1];
    if (now == second) return NULL;
    second = now;
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

static void close_connection(struct ev_loop *loop, struct stream *s) {
    ev_io_stop(loop, &s->io);
    close(s->io.fd);
    free(s->tail);
    free(s->output);
    free(s);
    descriptor_freed(loop);
}

static ssize_t send_gathered(int fd) {
    if (lasting_length == 0) return send(fd, output, output_length, MSG_NOSIGNAL);
    struct iovec pieces[] = {{(char *)lasting, lasting_length}, {output, output_length}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = output_length > 0 ? 2 : 1};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Writes what was gathered and keeps what a short write left. Returns false if the connection is over.
static bool write_gathered(struct ev_loop *loop, struct stream *s) {
    size_t length = lasting_length + output_length;
    if (length == 0) return !s->close_after;
    ssize_t sent = send_gathered(s->io.fd);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR) return false;
        sent = 0;
    }
    size_t written = (size_t)sent, left = length - written;
    if (left == 0) return !s->close_after;
    s->output = malloc(left);
    if (!s->output) return false;
    s->output_start = 0;
    s->output_length = (uint32_t)left;
    size_t of_lasting = written < lasting_length ? lasting_length - written : 0;
    memcpy(s->output, lasting + (lasting_length - of_lasting), of_lasting);
    memcpy(s->output + of_lasting, output + output_length - (left - of_lasting), left - of_lasting);
    watch(loop, &s->io, EV_WRITE);    // and no longer EV_READ: a peer that doesn't read is not read from
    return true;
}

// Answers the first `length` bytes of the input buffer, which keeps what was not consumed. Returns false if the
// connection is over, and gone.
static bool process(struct ev_loop *loop, struct stream *s, size_t length) {
    size_t used = 0;
    bool alive;
    do {
        output_length = lasting_length = 0;
        out_of_room = false;
        used += protocol->consume(s, input + used, length - used);
        alive = write_gathered(loop, s);
    } while (alive && out_of_room && !s->output);
    if (alive && !s->close_after && used < length) {
        s->tail = keep(input + used, length - used);
        s->tail_length = (uint32_t)(length - used);
        alive = s->tail != NULL;
    }
    if (!alive) close_connection(loop, s);
    return alive;
}

// Brings the tail back to the front of the input buffer.
static size_t take_tail(struct stream *s) {
    size_t length = s->tail_length;
    if (length > 0) memcpy(input, s->tail, length);
    free(s->tail);
    s->tail = NULL;
    s->tail_length = 0;
    return length;
}

static void readable(struct ev_loop *loop, struct stream *s) {
    size_t kept = s->tail_length;
    // Behind where the tail will be, which stays where it is until something has come.
    ssize_t count = recv(s->io.fd, input + kept, read_size, 0);
    if (count <= 0) {
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) close_connection(loop, s);
        return;
    }
    take_tail(s);
    process(loop, s, kept + (size_t)count);
}

static void writable(struct ev_loop *loop, struct stream *s) {
    ssize_t written = send(s->io.fd, s->output + s->output_start, s->output_length, MSG_NOSIGNAL);
    if (written < 0) {
        if (errno != EAGAIN && errno != EINTR) close_connection(loop, s);
        return;
    }
    s->output_start += (uint32_t)written;
    s->output_length -= (uint32_t)written;
    if (s->output_length > 0) return;
    free(s->output);
    s->output = NULL;
    if (s->close_after) return close_connection(loop, s);
    watch(loop, &s->io, EV_READ);
    // What there was no room to answer.
    if (s->tail_length > 0) process(loop, s, take_tail(s));
}

static void ready(struct ev_loop *loop, ev_io *io, int events) {
    struct stream *s = (struct stream *)io;
    if (events & EV_WRITE) writable(loop, s);
    else readable(loop, s);
}

static void serve(struct ev_loop *loop, int fd) {
    struct stream *s = calloc(1, protocol->connection_size);
    if (!s) {
        close(fd);
        return;
    }
    ev_io_init(&s->io, ready, fd, EV_READ);
    ev_io_start(loop, &s->io);
    if (!protocol->greeting) return;
    output_length = lasting_length = 0;
    gather(protocol->greeting, strlen(protocol->greeting));
    if (!write_gathered(loop, s)) close_connection(loop, s);
}

void serve_streams(struct ev_loop *loop, int *port, const struct protocol *chosen) {
    protocol = chosen;
    listen_with(loop, port, serve);
}
