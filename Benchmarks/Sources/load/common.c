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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

double drive(int epoll, double seconds, void (*ready)(uint32_t index)) {
    enum { max_events = 256 };
    double began = now(), heard = began, time = began;
    while (time < began + seconds) {
        struct epoll_event events[max_events];
        int count = epoll_wait(epoll, events, max_events, 100);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        time = now();
        if (count > 0) heard = time;
        if (time > heard + 5) wrong("the server has not answered for 5 s");
        for (int i = 0; i < count; i++) ready(events[i].data.u32);
    }
    return time - began;
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
