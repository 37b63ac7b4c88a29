// The floor of JSON-RPC 2.0 over HTTP: `POST /rpc` with one call of `subtract`, its parameters by position or by name, all of
// them whole numbers. It finds the end of head and body across reads, reads the one object by its members in any order, and
// refuses what it does not understand. No batches, no notifications, no fractions, no escapes in names, no deadlines.

#define _GNU_SOURCE
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { max_message = 8 * 1024, max_response = 256 };

// MARK: JSON

struct text {
    const char *at, *end;
};

struct call {
    bool is_subtract;
    bool has_terms;
    long long terms[2];
    const char *id;    // as it stands there, a number or a string
    size_t id_length;
};

static void skip_space(struct text *t) {
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\r' || *t->at == '\n')) t->at++;
}

static bool take(struct text *t, char expected) {
    skip_space(t);
    if (t->at == t->end || *t->at != expected) return false;
    t->at++;
    return true;
}

// A string without escapes.
static bool take_string(struct text *t, struct text *string) {
    if (!take(t, '"')) return false;
    string->at = t->at;
    while (t->at < t->end && *t->at != '"') {
        if (*t->at == '\\' || (unsigned char)*t->at < 0x20) return false;
        t->at++;
    }
    string->end = t->at;
    return take(t, '"');
}

static bool is(struct text string, const char *expected) {
    size_t length = strlen(expected);
    return (size_t)(string.end - string.at) == length && memcmp(string.at, expected, length) == 0;
}

// Up to 15 digits, so that nothing overflows.
static bool take_number(struct text *t, long long *number) {
    skip_space(t);
    bool is_negative = t->at < t->end && *t->at == '-';
    if (is_negative) t->at++;
    const char *start = t->at;
    long long value = 0;
    while (t->at < t->end && *t->at >= '0' && *t->at <= '9') {
        if (t->at - start == 15) return false;
        value = value * 10 + (*t->at++ - '0');
    }
    if (t->at == start || (*start == '0' && t->at - start > 1)) return false;
    if (t->at < t->end && (*t->at == '.' || *t->at == 'e' || *t->at == 'E')) return false;
    *number = is_negative ? -value : value;
    return true;
}

static bool take_named(struct text *t, struct call *call) {
    bool has[2] = {false, false};
    do {
        struct text name;
        if (!take_string(t, &name) || !take(t, ':')) return false;
        int index = is(name, "minuend") ? 0 : is(name, "subtrahend") ? 1 : -1;
        if (index < 0 || has[index] || !take_number(t, &call->terms[index])) return false;
        has[index] = true;
    } while (take(t, ','));
    return has[0] && has[1] && take(t, '}');
}

static bool take_params(struct text *t, struct call *call) {
    call->has_terms = true;
    if (take(t, '{')) return take_named(t, call);
    return take(t, '[') && take_number(t, &call->terms[0]) && take(t, ',') && take_number(t, &call->terms[1]) && take(t, ']');
}

static bool take_id(struct text *t, struct call *call) {
    skip_space(t);
    call->id = t->at;
    struct text string;
    long long number;
    bool found = t->at < t->end && *t->at == '"' ? take_string(t, &string) : take_number(t, &number);
    call->id_length = (size_t)(t->at - call->id);
    return found && call->id_length <= 64;
}

static bool take_call(struct text t, struct call *call) {
    bool has_version = false;
    if (!take(&t, '{')) return false;
    do {
        struct text name, value;
        if (!take_string(&t, &name) || !take(&t, ':')) return false;
        bool taken;
        if (is(name, "params")) {
            taken = take_params(&t, call);
        } else if (is(name, "id")) {
            taken = take_id(&t, call);
        } else if (is(name, "method")) {
            taken = take_string(&t, &value);
            if (taken) call->is_subtract = is(value, "subtract");
        } else if (is(name, "jsonrpc")) {
            taken = has_version = take_string(&t, &value) && is(value, "2.0");
        } else {
            return false;
        }
        if (!taken) return false;
    } while (take(&t, ','));
    if (!take(&t, '}') || !has_version || !call->id) return false;
    skip_space(&t);
    return t.at == t.end;
}

// MARK: HTTP

static char date[date_length + 1];

static void respond(const char *status, bool is_last, const char *body, size_t length) {
    char response[max_response * 2];
    int head = snprintf(response, sizeof response,
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%sDate: %s\r\n\r\n", status,
                        length, is_last ? "Connection: close\r\n" : "", date);
    memcpy(response + head, body, length);
    gather(response, (size_t)head + length);
}

static void answer(struct text body, bool is_last) {
    struct call call = {0};
    char result[max_response];
    int length;
    if (!take_call(body, &call)) {
        length = snprintf(result, sizeof result,
                          "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"},\"id\":null}");
    } else if (!call.is_subtract) {
        length = snprintf(result, sizeof result,
                          "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":%.*s}",
                          (int)call.id_length, call.id);
    } else if (!call.has_terms) {
        length = snprintf(result, sizeof result,
                          "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32602,\"message\":\"Invalid params\"},\"id\":%.*s}",
                          (int)call.id_length, call.id);
    } else {
        length = snprintf(result, sizeof result, "{\"jsonrpc\":\"2.0\",\"result\":%lld,\"id\":%.*s}",
                          call.terms[0] - call.terms[1], (int)call.id_length, call.id);
    }
    respond("200 OK", is_last, result, (size_t)length);
}

struct head {
    bool is_understood;
    bool is_last;
    size_t body_length;
};

static bool is_field(const char *line, size_t length, const char *name) {
    size_t name_length = strlen(name);
    return length > name_length && line[name_length] == ':' && strncasecmp(line, name, name_length) == 0;
}

// `end` is behind the last line's CRLF.
static struct head read_head(const char *line, const char *end) {
    static const char post[] = "POST /rpc HTTP/1.1\r\n";
    struct head head = {.is_understood = (size_t)(end - line) >= sizeof post - 1 && memcmp(line, post, sizeof post - 1) == 0};
    bool has_length = false;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) break;
        size_t length = (size_t)(newline - line);
        if (is_field(line, length, "content-length")) {
            char *stop;
            unsigned long value = strtoul(line + 15, &stop, 10);    // the line break behind it ends the number
            if (has_length || value > max_message || (*stop != '\r' && *stop != ' ')) head.is_understood = false;
            has_length = true;
            head.body_length = value;
        } else if (is_field(line, length, "transfer-encoding")) {
            head.is_understood = false;
        } else if (is_field(line, length, "connection")) {
            head.is_last = memmem(line, length, "close", 5) != NULL;
        }
        line = newline + 1;
    }
    if (!has_length) head.is_understood = false;
    return head;
}

static size_t consume(struct stream *stream, const char *bytes, size_t length) {
    size_t done = 0;
    const char *now = new_date((time_t)ev_now(EV_DEFAULT_UC));
    if (now) memcpy(date, now, date_length);
    while (!stream->close_after && done < length) {
        if (!has_room(max_response * 2)) return done;
        const char *start = bytes + done;
        const char *end = memmem(start, length - done, "\r\n\r\n", 4);
        if (!end) break;
        struct head head = read_head(start, end + 2);
        size_t head_length = (size_t)(end + 4 - start);
        if (!head.is_understood || head_length + head.body_length > max_message) {
            stream->close_after = true;
            respond("400 Bad Request", true, "", 0);
            return done;
        }
        if (length - done - head_length < head.body_length) return done;
        stream->close_after = head.is_last;
        answer((struct text){end + 4, end + 4 + head.body_length}, head.is_last);
        done += head_length + head.body_length;
    }
    if (length - done > max_message && !stream->close_after) {
        stream->close_after = true;
        respond("400 Bad Request", true, "", 0);
    }
    return done;
}

static const struct protocol rpc = {sizeof(struct stream), consume, NULL};

void serve_rpc(struct ev_loop *loop, int *port) { serve_streams(loop, port, &rpc); }
