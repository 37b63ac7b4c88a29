#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "usage: load echo PORT CONNECTIONS MILLISECONDS\n"
                            "       load short-connections PORT CONNECTIONS MILLISECONDS\n"
                            "       load datagrams PORT SOCKETS MILLISECONDS WINDOW JOINED\n"
                            "       load download PORT MEBIBYTES PAUSE_MS\n"
                            "       load tls-handshakes PORT CONNECTIONS MILLISECONDS RESUMED\n"
                            "       load tls-bodies PORT CONNECTIONS MILLISECONDS\n"
                            "       load lookups PORT NAMES ROUNDS\n";

enum { sources = 8 };

_Noreturn void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

_Noreturn void wrong(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int new_epoll(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) fail("epoll_create1");
    return epoll;
}

void watch(int epoll, int operation, int fd, uint32_t events, uint32_t index) {
    struct epoll_event event = {.events = events, .data.u32 = index};
    if (epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl");
}

int source_socket(int type, int index) {
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) fail("socket");
    // The port is chosen at connect(), when the destination is known.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index % sources))};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    return fd;
}

bool connect_to(int fd, int port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

void close_reset(int fd) {
    struct linger abort = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close(fd);
}

const char plaintext_request[] = "GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const size_t plaintext_request_size = sizeof plaintext_request - 1;

void check_plaintext(const char *answer, size_t length) {
    static const char status[] = "HTTP/1.1 200 ", body[] = "\r\n\r\nHello, World!";
    size_t body_length = sizeof body - 1;
    if (length < body_length || memcmp(answer, status, sizeof status - 1) != 0 ||
        memcmp(answer + length - body_length, body, body_length) != 0) {
        fprintf(stderr, "load: the answer was: %.*s\n", (int)length, answer);
        exit(1);
    }
}

static _Noreturn void misused(void) {
    fputs(usage, stderr);
    exit(64);
}

static int number(const char *text, long least, long most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end || value < least || value > most) misused();
    return (int)value;
}

int main(int argc, char **argv) {
    if (argc < 5) misused();
    const char *mode = argv[1];
    int port = number(argv[2], 1, 65535);
    int count = number(argv[3], 1, 100000), milliseconds = number(argv[4], 1, 3600 * 1000);
    double seconds = milliseconds / 1000.0;

    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (argc == 5 && strcmp(mode, "echo") == 0) load_echo(port, count, seconds);
    else if (argc == 5 && strcmp(mode, "short-connections") == 0) load_short_connections(port, count, seconds);
    else if (argc == 7 && strcmp(mode, "datagrams") == 0)
        load_datagrams(port, count, seconds, number(argv[5], 1, 10000), number(argv[6], 0, 1));
    else if (argc == 5 && strcmp(mode, "download") == 0) load_download(port, count, milliseconds);
    else if (argc == 6 && strcmp(mode, "tls-handshakes") == 0)
        load_tls_handshakes(port, count, seconds, number(argv[5], 0, 1));
    else if (argc == 5 && strcmp(mode, "tls-bodies") == 0) load_tls_bodies(port, count, seconds);
    else if (argc == 5 && strcmp(mode, "lookups") == 0 && count <= 65536) load_lookups(port, count, milliseconds);
    else misused();
    return 0;
}
