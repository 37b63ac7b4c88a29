#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { words = 16, batch = 64, max_events = 64 };
static const double patience = 0.2;    // what has not come back by then is lost

struct datagram {
    uint32_t source;
    uint32_t generation;    // one more each time that datagrams were given up: answers from before are too late
    uint32_t sequence;
    uint32_t filling[words - 3];
};

struct source {
    int fd;
    uint32_t generation;
    uint32_t sequence;
    int outstanding;
    double heard;
};

static int window;
static uint64_t received, lost;
static struct datagram datagrams[batch];
static struct iovec parts[batch];
static struct mmsghdr messages[batch];

static void fill(struct datagram *datagram, uint32_t index, uint32_t generation, uint32_t sequence) {
    datagram->source = index;
    datagram->generation = generation;
    datagram->sequence = sequence;
    for (uint32_t i = 0; i < words - 3; i++) datagram->filling[i] = sequence * 2654435761u + i;
}

static void send_window(struct source *source, uint32_t index) {
    while (source->outstanding < window) {
        int room = window - source->outstanding, count = room < batch ? room : batch;
        for (int i = 0; i < count; i++) {
            fill(&datagrams[i], index, source->generation, ++source->sequence);
            parts[i].iov_len = sizeof *datagrams;
        }
        int sent = sendmmsg(source->fd, messages, (unsigned)count, MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return;
            fail("sendmmsg");
        }
        source->outstanding += sent;
    }
}

static void check(const struct datagram *datagram, size_t size, const struct source *source, uint32_t index) {
    struct datagram expected;
    if (size != sizeof expected) wrong("a datagram came back with another size");
    fill(&expected, index, datagram->generation, datagram->sequence);
    if (datagram->sequence > source->sequence || memcmp(datagram, &expected, sizeof expected) != 0) {
        wrong("what came back is not what was sent");
    }
}

static void receive(struct source *source, uint32_t index, double time) {
    while (true) {
        for (int i = 0; i < batch; i++) parts[i].iov_len = sizeof *datagrams;
        int count = recvmmsg(source->fd, messages, batch, MSG_DONTWAIT, NULL);
        if (count < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            fail("recvmmsg");
        }
        for (int i = 0; i < count; i++) {
            check(&datagrams[i], messages[i].msg_len, source, index);
            if (datagrams[i].generation != source->generation) continue;
            source->outstanding--;
            received++;
        }
        source->heard = time;
        if (count < batch) return;
    }
}

static void give_up_lost(struct source *sources, int count, double time) {
    for (int i = 0; i < count; i++) {
        struct source *source = &sources[i];
        if (time < source->heard + patience) continue;
        lost += (uint64_t)source->outstanding;
        source->outstanding = 0;
        source->generation++;
        source->heard = time;
        send_window(source, (uint32_t)i);
    }
}

void load_datagrams(int port, int sockets, double seconds, int outstanding) {
    struct source *sources = calloc((size_t)sockets, sizeof *sources);
    if (!sources) fail("no memory");
    window = outstanding;
    for (int i = 0; i < batch; i++) {
        parts[i].iov_base = &datagrams[i];
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int epoll = new_epoll();
    double began = now(), time = began;
    for (int i = 0; i < sockets; i++) {
        sources[i].fd = source_socket(SOCK_DGRAM, i);
        if (!connect_to(sources[i].fd, port)) fail("connect");
        watch(epoll, EPOLL_CTL_ADD, sources[i].fd, EPOLLIN, (uint32_t)i);
        sources[i].heard = began;
        send_window(&sources[i], (uint32_t)i);
    }
    while (time < began + seconds) {
        struct epoll_event events[max_events];
        int count = epoll_wait(epoll, events, max_events, 50);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        time = now();
        for (int i = 0; i < count; i++) {
            struct source *source = &sources[events[i].data.u32];
            receive(source, events[i].data.u32, time);
            // Not one for one: the server is to find many at a time.
            if (source->outstanding <= window / 2) send_window(source, events[i].data.u32);
        }
        give_up_lost(sources, sockets, time);
    }
    if (received == 0) wrong("no datagram came back");
    printf("count=%llu seconds=%.6f lost=%llu\n", (unsigned long long)received, time - began,
           (unsigned long long)lost);
}
