#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { words = 16, size = words * sizeof(uint32_t), batch = 64, max_events = 64 };
enum { max_train = 64, slot_size = max_train * size };
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
static bool trains;
static uint64_t received, lost;
// Several datagrams to a message where the kernel joins them (UDP_GRO, UDP_SEGMENT), one where it does not.
static struct datagram slots[batch][max_train];
static struct iovec parts[batch];
static struct mmsghdr messages[batch];

static void fill(struct datagram *datagram, uint32_t index, uint32_t generation, uint32_t sequence) {
    datagram->source = index;
    datagram->generation = generation;
    datagram->sequence = sequence;
    for (uint32_t i = 0; i < words - 3; i++) datagram->filling[i] = sequence * 2654435761u + i;
}

// Fills one message with at most `room` datagrams. Returns how many.
static int fill_message(int slot, int room, struct source *source, uint32_t index) {
    int count = !trains ? 1 : room < max_train ? room : max_train;
    for (int i = 0; i < count; i++) fill(&slots[slot][i], index, source->generation, ++source->sequence);
    parts[slot].iov_len = (size_t)count * size;
    return count;
}

static void send_window(struct source *source, uint32_t index) {
    while (source->outstanding < window) {
        int room = window - source->outstanding, filled = 0, count = 0;
        while (filled < room && count < batch) filled += fill_message(count++, room - filled, source, index);
        int sent = sendmmsg(source->fd, messages, (unsigned)count, MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return;
            fail("sendmmsg");
        }
        for (int i = 0; i < sent; i++) source->outstanding += (int)(parts[i].iov_len / size);
    }
}

static void check(const struct datagram *datagram, struct source *source, uint32_t index) {
    struct datagram expected;
    fill(&expected, index, datagram->generation, datagram->sequence);
    if (datagram->sequence > source->sequence || memcmp(datagram, &expected, sizeof expected) != 0) {
        wrong("what came back is not what was sent");
    }
    if (datagram->generation != source->generation) return;
    source->outstanding--;
    received++;
}

static void receive(struct source *source, uint32_t index, double time) {
    while (true) {
        for (int i = 0; i < batch; i++) parts[i].iov_len = slot_size;
        int count = recvmmsg(source->fd, messages, batch, MSG_DONTWAIT, NULL);
        if (count < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            fail("recvmmsg");
        }
        for (int i = 0; i < count; i++) {
            size_t length = messages[i].msg_len;
            if (length == 0 || length % size || (messages[i].msg_hdr.msg_flags & MSG_TRUNC)) {
                wrong("a datagram came back with another size");
            }
            for (size_t j = 0; j < length / size; j++) check(&slots[i][j], source, index);
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

static void open_source(struct source *source, int index, int port, int epoll) {
    int segment = size, on = 1;
    source->fd = source_socket(SOCK_DGRAM, index);
    if (!connect_to(source->fd, port)) fail("connect");
    if (trains && (setsockopt(source->fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) < 0 ||
                   setsockopt(source->fd, SOL_UDP, UDP_GRO, &on, sizeof on) < 0)) {
        fail("UDP_SEGMENT and UDP_GRO");
    }
    watch(epoll, EPOLL_CTL_ADD, source->fd, EPOLLIN, (uint32_t)index);
}

void load_datagrams(int port, int sockets, double seconds, int outstanding, bool joined) {
    struct source *sources = calloc((size_t)sockets, sizeof *sources);
    if (!sources) fail("no memory");
    window = outstanding;
    trains = joined;
    for (int i = 0; i < batch; i++) {
        parts[i].iov_base = slots[i];
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int epoll = new_epoll();
    double began = now(), time = began;
    for (int i = 0; i < sockets; i++) {
        open_source(&sources[i], i, port, epoll);
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
