// The floor of HTTP: what `GET /plaintext` costs at the least, and 64 KiB out of memory. It does what a correct keep-alive
// server cannot leave out (finding each request's end across reads, noticing a body it would have to skip, back-pressure,
// a current Date) and nothing else: no deadlines, no routing, no headers kept. A server that adds those is measured
// against it.

#define _GNU_SOURCE
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    max_head = 8 * 1024,      // an unfinished request head longer than this is refused
    max_response = 256,
    body_size = 64 * 1024,
};

enum target { other, plaintext_target, bytes_target };

struct connection {
    struct stream stream;
    enum target target;       // what the head being read is for
    bool refused;             // the head being read asks for what this server doesn't do
    bool last;                // the head being read asks for a close behind the response
    uint32_t line_start;      // where in the tail the line begins that has not ended yet
};

// MARK: Responses

struct response {
    char *bytes;
    size_t length;
    size_t date_offset;
};

static struct response plaintext, last_plaintext, bytes, last_bytes, not_found, bad_request;
static struct response *const responses[] = {&plaintext, &last_plaintext, &bytes, &last_bytes, &not_found, &bad_request};

static void prepare(struct response *response, const char *status, const char *connection, const char *body, size_t size) {
    response->bytes = malloc(max_response + size);
    if (!response->bytes) fail("memory for a response");
    int length = snprintf(response->bytes, max_response,
                          "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%sDate: ", status, size,
                          connection);
    response->date_offset = (size_t)length;
    length += snprintf(response->bytes + length, max_response - (size_t)length, "%*s\r\n\r\n", date_length, "");
    memcpy(response->bytes + length, body, size);
    response->length = (size_t)length + size;
}

static void prepare_responses(void) {
    static const char close[] = "Connection: close\r\n", hello[] = "Hello, World!", not[] = "Not Found\n", bad[] = "Bad Request\n";
    prepare(&plaintext, "200 OK", "", hello, sizeof hello - 1);
    prepare(&last_plaintext, "200 OK", close, hello, sizeof hello - 1);
    prepare(&not_found, "404 Not Found", "", not, sizeof not - 1);
    prepare(&bad_request, "400 Bad Request", close, bad, sizeof bad - 1);

    // Lines of 64 bytes, each with its number.
    static char body[body_size + 1];
    for (unsigned line = 0; line < body_size / 64; line++)
        snprintf(body + line * 64, 65, "%llx...............................................\n", (1ULL << 60) + line);
    prepare(&bytes, "200 OK", "", body, body_size);
    prepare(&last_bytes, "200 OK", close, body, body_size);
}

// The Date field is current, but made once a second rather than once a request.
static void update_date(void) {
    const char *date = new_date((time_t)ev_now(EV_DEFAULT_UC));
    if (!date) return;
    for (size_t index = 0; index < sizeof responses / sizeof *responses; index++)
        memcpy(responses[index]->bytes + responses[index]->date_offset, date, date_length);
}

// MARK: Requests

static bool is_line(const char *line, size_t length, const char *expected, size_t expected_length) {
    return length == expected_length && memcmp(line, expected, length) == 0;
}

static void request_line(struct connection *c, const char *line, size_t length) {
    static const char get[] = "GET /plaintext HTTP/1.1", get_bytes[] = "GET /bytes?n=65536 HTTP/1.1", version[] = " HTTP/1.1";
    size_t version_length = sizeof version - 1;
    c->target = is_line(line, length, get, sizeof get - 1) ? plaintext_target
        : is_line(line, length, get_bytes, sizeof get_bytes - 1) ? bytes_target : other;
    c->refused = c->target == other &&
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

static const struct response *found(const struct connection *c) {
    if (c->refused) return &bad_request;
    switch (c->target) {
    case plaintext_target: return c->last ? &last_plaintext : &plaintext;
    case bytes_target: return c->last ? &last_bytes : &bytes;
    default: return &not_found;
    }
}

static void respond(const struct response *response) {
    if (response->length > max_response) gather_lasting(response->bytes, response->length);
    else gather(response->bytes, response->length);
}

// Goes line by line through `length` bytes, the first of which begins a head, and answers every head that is complete.
// Lines seen at an earlier read are not looked at again. Returns how many bytes are done with.
static size_t consume(struct stream *stream, const char *bytes, size_t length) {
    struct connection *c = (struct connection *)stream;
    size_t head = 0, line = c->line_start;
    bool is_full = false;
    update_date();
    while (!stream->close_after) {
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
            const struct response *response = found(c);
            is_full = !has_room(response->length);
            if (is_full) break;
            respond(response);
            stream->close_after = c->refused || c->last;
            head = next;
        }
        line = next;
    }
    c->line_start = (uint32_t)(line - head);
    if (length - head > max_head && !stream->close_after && !is_full) {
        respond(&bad_request);
        stream->close_after = true;
    }
    return head;
}

static const struct protocol http = {sizeof(struct connection), consume, NULL};

void serve_http(struct ev_loop *loop, int *port) {
    prepare_responses();
    serve_streams(loop, port, &http);
}
