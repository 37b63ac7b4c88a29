// The floor of SMTP: a sink, which takes every message and keeps none (RFC 5321, with PIPELINING). It finds the end of each
// command and of each content across reads, keeps to the order of commands, and sends one reply a command in one write a
// read. It looks at no address and sets no deadlines.

#define _GNU_SOURCE
#include "stream.h"

#include <string.h>
#include <strings.h>

enum {
    max_line = 2048,      // an unfinished command longer than this is refused
    max_reply = 128,
};

enum state { greeted, introduced, sending, addressed };

struct session {
    struct stream stream;
    enum state state;
    bool in_data;
    unsigned char matched;    // how much of the content's end has come
};

struct command {
    const char *verb;
    void (*run)(struct session *session);
};

static void reply(const char *text) { gather(text, strlen(text)); }

static void ehlo(struct session *s) {
    s->state = introduced;
    reply("250-floor.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
}

static void helo(struct session *s) {
    s->state = introduced;
    reply("250 floor.example\r\n");
}

static void out_of_order(void) { reply("503 bad sequence of commands\r\n"); }

static void mail(struct session *s) {
    if (s->state != introduced) return out_of_order();
    s->state = sending;
    reply("250 sender ok\r\n");
}

static void rcpt(struct session *s) {
    if (s->state != sending && s->state != addressed) return out_of_order();
    s->state = addressed;
    reply("250 recipient ok\r\n");
}

static void data(struct session *s) {
    if (s->state != addressed) return out_of_order();
    s->in_data = true;
    s->matched = 2;    // the line break behind the command
    reply("354 end with a dot\r\n");
}

static void rset(struct session *s) {
    if (s->state != greeted) s->state = introduced;
    reply("250 ok\r\n");
}

static void noop(struct session *s) {
    (void)s;
    reply("250 ok\r\n");
}

static void quit(struct session *s) {
    s->stream.close_after = true;
    reply("221 bye\r\n");
}

static const struct command commands[] = {
    {"MAIL FROM:", mail}, {"RCPT TO:", rcpt}, {"DATA", data}, {"EHLO ", ehlo}, {"HELO ", helo}, {"RSET", rset},
    {"NOOP", noop}, {"QUIT", quit},
};

// `line` is without its CRLF.
static void run(struct session *s, const char *line, size_t length) {
    for (size_t index = 0; index < sizeof commands / sizeof *commands; index++) {
        const char *verb = commands[index].verb;
        size_t size = strlen(verb);
        bool takes_more = verb[size - 1] == ':' || verb[size - 1] == ' ';
        if (length < size || strncasecmp(line, verb, size) != 0) continue;
        if (!takes_more && length > size && line[size] != ' ') continue;
        return commands[index].run(s);
    }
    reply("500 no such command\r\n");
}

static void refuse(struct session *s, const char *text) {
    s->stream.close_after = true;
    reply(text);
}

// Looks for the end of the content, which may have come in pieces. Returns how many bytes are done with.
static size_t skip_content(struct session *s, const char *bytes, size_t length) {
    static const char end[] = "\r\n.\r\n";
    size_t at = 0;
    while (at < length) {
        if (s->matched == 0) {
            const char *cr = memchr(bytes + at, '\r', length - at);
            if (!cr) return length;
            at = (size_t)(cr - bytes) + 1;
            s->matched = 1;
        } else if (bytes[at] != end[s->matched]) {
            s->matched = 0;    // the byte may begin a new end, and is looked at again
        } else {
            at++;
            if (++s->matched == sizeof end - 1) {
                s->in_data = false;
                s->state = introduced;
                reply("250 taken\r\n");
                return at;
            }
        }
    }
    return length;
}

static size_t consume(struct stream *stream, const char *bytes, size_t length) {
    struct session *s = (struct session *)stream;
    size_t done = 0;
    while (done < length && !stream->close_after) {
        if (!has_room(max_reply)) return done;
        if (s->in_data) {
            done += skip_content(s, bytes + done, length - done);
            continue;
        }
        const char *line = bytes + done;
        const char *newline = memchr(line, '\n', length - done);
        if (!newline) {
            if (length - done > max_line) refuse(s, "500 line too long\r\n");
            return done;
        }
        size_t line_length = (size_t)(newline - line);
        done += line_length + 1;
        if (line_length > max_line) refuse(s, "500 line too long\r\n");
        else if (line_length == 0 || newline[-1] != '\r') refuse(s, "500 lines end in CRLF\r\n");
        else run(s, line, line_length - 1);
    }
    return done;
}

static const struct protocol smtp = {sizeof(struct session), consume, "220 floor.example ESMTP\r\n"};

void serve_smtp(struct ev_loop *loop, int *port) { serve_streams(loop, port, &smtp); }
