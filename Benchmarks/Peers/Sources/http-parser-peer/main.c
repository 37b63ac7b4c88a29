// Reads request heads with libhttp-parser, as `parser-load` does with ours, and prints the same.
// usage: http-parser-peer ROUNDS FILE ...
//
// What a server keeps of a request is kept: where its method, path, query, names and values stand, the body's length, and
// whether the connection stays open. The target is split at its `?` by memchr, which is less than
// http_parser_parse_url() does.

#define _GNU_SOURCE
#include <http_parser.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice {
    const char *start;
    size_t length;
};

struct field {
    struct slice name, value;
};

enum { max_fields = 100 };

struct request {
    struct slice target, path, query;
    struct field fields[max_fields];
    size_t count;
    enum http_method method;
    uint64_t content_length;
    int keeps_alive, whole;
};

static int on_url(http_parser *parser, const char *at, size_t length) {
    struct request *request = parser->data;
    request->target = (struct slice){at, length};
    return 0;
}

static int on_name(http_parser *parser, const char *at, size_t length) {
    struct request *request = parser->data;
    if (request->count == max_fields) return 1;
    request->fields[request->count].name = (struct slice){at, length};
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t length) {
    struct request *request = parser->data;
    request->fields[request->count++].value = (struct slice){at, length};
    return 0;
}

static int on_head(http_parser *parser) {
    struct request *request = parser->data;
    const char *mark = memchr(request->target.start, '?', request->target.length);
    size_t path = mark ? (size_t)(mark - request->target.start) : request->target.length;
    request->path = (struct slice){request->target.start, path};
    request->query = mark ? (struct slice){mark + 1, request->target.length - path - 1} : (struct slice){0};
    request->method = parser->method;
    request->content_length = parser->content_length == UINT64_MAX ? 0 : parser->content_length;
    request->keeps_alive = http_should_keep_alive(parser);
    request->whole = 1;
    http_parser_pause(parser, 1);    // the body is not what is measured
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url, .on_header_field = on_name, .on_header_value = on_value, .on_headers_complete = on_head};

static struct {
    uint64_t requests, fields, bytes, bodies, kept_alive;
} found;

static int read_request(const char *bytes, size_t length) {
    struct request request;
    request.count = 0;
    request.whole = 0;
    http_parser parser;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &request;
    http_parser_execute(&parser, &settings, bytes, length);
    if (!request.whole) return 0;
    found.requests++;
    found.fields += request.count;
    found.bytes += strlen(http_method_str(request.method)) + request.path.length + request.query.length;
    for (size_t i = 0; i < request.count; i++) found.bytes += request.fields[i].name.length + request.fields[i].value.length;
    found.bodies += request.content_length;
    found.kept_alive += request.keeps_alive != 0;
    return 1;
}

int main(int argc, char **argv) {
    char *end;
    long rounds = argc > 2 ? strtol(argv[1], &end, 10) : -1;
    if (rounds < 0 || *end) {
        fputs("usage: http-parser-peer ROUNDS FILE ...\n", stderr);
        return 64;
    }
    for (int i = 2; i < argc; i++) {
        static char bytes[65536];
        FILE *file = fopen(argv[i], "rb");
        size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
        if (file) fclose(file);
        for (long round = 0; round < rounds; round++) {
            if (read_request(bytes, length)) continue;
            fprintf(stderr, "http-parser-peer: %s is no request\n", argv[i]);
            return 1;
        }
    }
    printf("requests=%llu fields=%llu bytes=%llu bodies=%llu kept-alive=%llu\n", (unsigned long long)found.requests,
           (unsigned long long)found.fields, (unsigned long long)found.bytes, (unsigned long long)found.bodies,
           (unsigned long long)found.kept_alive);
    return 0;
}
