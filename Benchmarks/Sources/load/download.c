#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// RFC 864's pattern: lines of 72 printable characters, each beginning one character further on, so that it repeats
// after as many lines as there are such characters.
enum { printable = 95, columns = 72, line = columns + 2, period = printable * line, burst = 16 * 1024 * 1024 };

static char pattern[period];

static void make_pattern(void) {
    for (int row = 0; row < printable; row++) {
        char *start = pattern + row * line;
        for (int column = 0; column < columns; column++) start[column] = (char)(' ' + (row + column) % printable);
        memcpy(start + columns, "\r\n", 2);
    }
}

static void check(const char *bytes, size_t length, uint64_t offset) {
    while (length > 0) {
        size_t start = offset % period, count = period - start < length ? period - start : length;
        if (memcmp(bytes, pattern + start, count) != 0) wrong("what came is not the pattern of RFC 864");
        bytes += count;
        length -= count;
        offset += count;
    }
}

void load_download(int port, int mebibytes, int pause_ms) {
    static char buffer[64 * 1024];
    make_pattern();
    int fd = source_socket(SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!connect_to(fd, port)) fail("connect");
    uint64_t received = 0, wanted = (uint64_t)mebibytes * 1024 * 1024, next_pause = burst;
    double began = now();
    while (received < wanted) {
        size_t room = wanted - received < sizeof buffer ? (size_t)(wanted - received) : sizeof buffer;
        ssize_t count = recv(fd, buffer, room, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("recv");
        if (count == 0) wrong("the server ended the download");
        check(buffer, (size_t)count, received);
        received += (uint64_t)count;
        if (received < next_pause) continue;
        next_pause += burst;
        struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000L};
        nanosleep(&pause, NULL);
    }
    close_reset(fd);
    printf("count=%llu seconds=%.6f\n", (unsigned long long)received, now() - began);
}
