#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

// Outstanding at a time, so that all answers fit into the receive buffer that Linux gives a socket by default.
enum { window = 100, header_size = 12, max_message = 512, patience_ms = 5000 };

// A question for the A records of `lookup-NUMBER.example`, with the number's low half as its id (RFC 1035, section 4.1).
static size_t write_query(unsigned char *bytes, unsigned number) {
    unsigned char *end = bytes + header_size;
    memset(bytes, 0, header_size);
    bytes[0] = (unsigned char)(number >> 8);
    bytes[1] = (unsigned char)number;
    bytes[2] = 1;    // recursion desired
    bytes[5] = 1;    // one question
    int length = sprintf((char *)end + 1, "lookup-%u", number);
    *end = (unsigned char)length;
    end += length + 1;
    static const unsigned char rest[] = "\7example\0\0\1\0\1";
    memcpy(end, rest, sizeof rest - 1);
    return (size_t)(end - bytes) + sizeof rest - 1;
}

// The question again, and one record with the address 127.0.0.1 at the end.
static void check(const unsigned char *bytes, size_t length, unsigned first, unsigned end) {
    unsigned char query[max_message];
    static const unsigned char address[] = {0, 4, 127, 0, 0, 1};
    if (length < header_size) wrong("what came back is no DNS message");
    unsigned id = (unsigned)bytes[0] << 8 | bytes[1], number = first + ((id - first) & 0xffff);
    if (number >= end) wrong("what came back answers no question");
    size_t size = write_query(query, number);
    if (length <= size + sizeof address || !(bytes[2] & 0x80) || bytes[3] & 0xf || bytes[7] != 1 ||
        memcmp(bytes + header_size, query + header_size, size - header_size) != 0 ||
        memcmp(bytes + length - sizeof address, address, sizeof address) != 0) {
        wrong("what came back is not the answer");
    }
}

// One answer to each of the numbers from `first`, before the next questions are asked.
static void look_up(int fd, unsigned first, unsigned count) {
    unsigned char message[max_message];
    unsigned asked = 0, answered = 0;
    bool seen[65536] = {false};
    while (answered < count) {
        for (; asked < count && asked - answered < window; asked++) {
            size_t size = write_query(message, first + asked);
            if (send(fd, message, size, 0) != (ssize_t)size) fail("send");
        }
        ssize_t length = recv(fd, message, sizeof message, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd readable = {.fd = fd, .events = POLLIN};
            if (poll(&readable, 1, patience_ms) == 0) wrong("the server has not answered for 5 s");
            continue;
        }
        if (length < 0) fail("recv");
        check(message, (size_t)length, first, first + asked);
        unsigned id = (unsigned)message[0] << 8 | message[1];
        if (seen[id]) wrong("a question was answered twice");
        seen[id] = true;
        answered++;
    }
}

void load_lookups(int port, int count, int rounds) {
    int fd = source_socket(SOCK_DGRAM, 0);
    if (!connect_to(fd, port)) fail("connect");
    double began = now();
    for (int round = 0; round < rounds; round++) look_up(fd, (unsigned)round * (unsigned)count, (unsigned)count);
    printf("count=%llu seconds=%.6f\n", (unsigned long long)count * (unsigned)rounds, now() - began);
}
