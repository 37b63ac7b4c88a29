// The floor of HTTP: what `GET /plaintext` costs at the least. One read buffer for the process, one small struct a
// connection. It does what a correct keep-alive server cannot leave out (finding each request's end across reads,
// noticing a body it would have to skip, back-pressure, a current Date) and nothing else: no deadlines, no routing, no
// headers kept. A server that adds those is measured against it.

#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    max_head = 8 * 1024,      // an unfinished request head longer than this is refused
    read_size = 64 * 1024,    // one read
    max_response = 256,
    min_head = 11,            // " HTTP/1.1\n\n": no shorter head is answered without closing
};

struct connection {
    ev_io io;
    bool wanted;              // the head being read is for /plaintext
    bool refused;             // the head being read asks for what this server doesn't do
    bool last;                // the head being read asks for a close behind the response
    bool close_after;         // the connection ends once its output is written
    uint32_t line_start;      // where in the tail the line begins that has not ended yet
    uint32_t tail_length;     // bytes of an unfinished head
    uint32_t output_length;
    char *tail;
    char *output;             // what a short write left
};

static char input[max_head + read_size];
// Holds the responses to all requests that one input buffer can hold, so that each read is followed by one write.
static char output[(sizeof input / min_head + 1) * max_response];
static size_t output_length;

// MARK: Responses

struct response {
    char bytes[max_response];
    size_t length;
    size_t date_offset;
};

static struct response plaintext, last_plaintext, not_found, bad_request;
static time_t date_second = -1;

static const char date_format[] = "%a, %d %b %Y %H:%M:%S GMT";
enum { date_length = 29 };

static void prepare(struct response *response, const char *status, const char *connection, const char *body) {
    int length = snprintf(response->bytes, max_response,
                          "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%sDate: ", status,
                          strlen(body), connection);
    response->date_offset = (size_t)length;
    length += snprintf(response->bytes + length, max_response - (size_t)length, "%*s\r\n\r\n%s", date_length, "", body);
    response->length = (size_t)length;
}

static void prepare_responses(void) {
    prepare(&plaintext, "200 OK", "", "Hello, World!");
    prepare(&last_plaintext, "200 OK", "Connection: close\r\n", "Hello, World!");
    prepare(&not_found, "404 Not Found", "", "Not Found\n");
    prepare(&bad_request, "400 Bad Request", "Connection: close\r\n", "Bad Request\n");
}

// The Date field is current, but made once a second rather than once a request.
static void update_date(time_t now) {
    if (now == date_second) return;
    date_second = now;
    struct tm parts;
    char text[date_length + 1];
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, date_format, &parts);
    memcpy(plaintext.bytes + plaintext.date_offset, text, date_length);
    memcpy(last_plaintext.bytes + last_plaintext.date_offset, text, date_length);
    memcpy(not_found.bytes + not_found.date_offset, text, date_length);
    memcpy(bad_request.bytes + bad_request.date_offset, text, date_length);
}

static void respond(const struct response *response) {
    memcpy(output + output_length, response->bytes, response->length);
    output_length += response->length;
}

// MARK: Requests

static void request_line(struct connection *c, const char *line, size_t length) {
    static const char get[] = "GET /plaintext HTTP/1.1", version[] = " HTTP/1.1";
    size_t get_length = sizeof get - 1, version_length = sizeof version - 1;
    c->wanted = length == get_length && memcmp(line, get, get_length) == 0;
    c->refused = !c->wanted &&
                 (length < version_length || memcmp(line + length - version_length, version, version_length) != 0);
    c->last = false;
}

static bool is_field(const char *line, size_t length, const char *name, size_t name_length) {
    return length > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0;
}

// Only three fields bear on where the next request begins. A body would have to be skipped; this server refuses it.
static void header_line(struct connection *c, const char *line, size_t length) {
    if ((line[0] | 0x20) != 'c' && (line[0] | 0x20) != 't') return;
    if (is_field(line, length, "content-length", 14) || is_field(line, length, "transfer-encoding", 17)) {
        c->refused = true;
    } else if (is_field(line, length, "connection", 10)) {
        char value[64] = "";
        size_t value_length = length - 11;
        memcpy(value, line + 11, value_length < sizeof value ? value_length : sizeof value - 1);
        if (strcasestr(value, "close")) c->last = true;
    }
}

static void request_end(struct connection *c) {
    const struct response *found = c->last ? &last_plaintext : &plaintext;
    respond(c->refused ? &bad_request : c->wanted ? found : &not_found);
    if (c->refused || c->last) c->close_after = true;
}

// Goes line by line through `length` bytes, the first of which begins a head, and answers every head that is complete.
// Lines seen at an earlier read are not looked at again. Returns how many bytes are done with.
static size_t parse(struct connection *c, const char *bytes, size_t length) {
    size_t head = 0, line = c->line_start;
    while (!c->close_after) {
        const char *newline = memchr(bytes + line, '\n', length - line);
        if (!newline) break;
        size_t next = (size_t)(newline - bytes) + 1;
        size_t line_length = next - line - 1;
        if (line_length > 0 && newline[-1] == '\r') line_length--;
        if (line == head) {
            request_line(c, bytes + line, line_length);
        } else if (line_length > 0) {
            header_line(c, bytes + line, line_length);
        } else {
            request_end(c);
            head = next;
        }
        line = next;
    }
    if (length - head > max_head && !c->close_after) {
        respond(&bad_request);
        c->close_after = true;
    }
    c->line_start = (uint32_t)(line - head);
    return head;
}

// MARK: Connections

static void close_connection(struct ev_loop *loop, struct connection *c) {
    ev_io_stop(loop, &c->io);
    close(c->io.fd);
    free(c->tail);
    free(c->output);
    free(c);
    descriptor_freed(loop);
}

// Writes what was gathered and keeps what a short write left. Returns false if the connection is over.
static bool write_gathered(struct ev_loop *loop, struct connection *c) {
    if (output_length == 0) return !c->close_after;
    ssize_t written = send(c->io.fd, output, output_length, MSG_NOSIGNAL);
    if (written < 0) {
        if (errno != EAGAIN && errno != EINTR) return false;
        written = 0;
    }
    size_t left = output_length - (size_t)written;
    if (left == 0) return !c->close_after;
    c->output = keep(output + written, left);
    c->output_length = (uint32_t)left;
    watch(loop, &c->io, EV_WRITE);    // and no longer EV_READ: a peer that doesn't read is not read from
    return c->output != NULL;
}

static void writable(struct ev_loop *loop, struct connection *c) {
    ssize_t written = send(c->io.fd, c->output, c->output_length, MSG_NOSIGNAL);
    if (written < 0) {
        if (errno != EAGAIN && errno != EINTR) close_connection(loop, c);
        return;
    }
    c->output_length -= (uint32_t)written;
    memmove(c->output, c->output + written, c->output_length);
    if (c->output_length > 0) return;
    free(c->output);
    c->output = NULL;
    if (c->close_after) close_connection(loop, c);
    else watch(loop, &c->io, EV_READ);
}

static void readable(struct ev_loop *loop, struct connection *c) {
    size_t kept = c->tail_length;
    if (kept > 0) memcpy(input, c->tail, kept);
    ssize_t count = recv(c->io.fd, input + kept, read_size, 0);
    if (count <= 0) {
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) close_connection(loop, c);
        return;
    }
    free(c->tail);
    c->tail = NULL;
    c->tail_length = 0;

    size_t length = kept + (size_t)count;
    output_length = 0;
    update_date((time_t)ev_now(loop));
    size_t used = parse(c, input, length);
    if (!c->close_after && used < length) {
        c->tail = keep(input + used, length - used);
        c->tail_length = (uint32_t)(length - used);
    }
    bool out_of_memory = c->tail_length > 0 && !c->tail;
    if (!write_gathered(loop, c) || out_of_memory) close_connection(loop, c);
}

static void ready(struct ev_loop *loop, ev_io *io, int events) {
    struct connection *c = (struct connection *)io;
    if (events & EV_WRITE) writable(loop, c);
    else readable(loop, c);
}

static void serve(struct ev_loop *loop, int fd) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    ev_io_init(&c->io, ready, fd, EV_READ);
    ev_io_start(loop, &c->io);
}

void serve_http(struct ev_loop *loop, int *port) {
    prepare_responses();
    listen_with(loop, port, serve);
}
