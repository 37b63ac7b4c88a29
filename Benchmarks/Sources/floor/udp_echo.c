// The floor of UDP echo (RFC 862): as many datagrams as wait are moved by one system call each way, and those of one
// peer and one size in one message, which the kernel takes apart (UDP_SEGMENT) or has put together (UDP_GRO). With a
// batch of one it makes the plain calls. A datagram that there is no room for is dropped, as UDP may.

#define _GNU_SOURCE
#include "floor.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    max_message = 65536,
    max_payload = 65000,    // of what is put together, with room for headers
    max_segments = 64,      // that the kernel takes apart
    max_rounds = 16,        // batches in a turn
};

struct message {
    struct sockaddr_in peer;
    struct iovec part;
    size_t segment;         // the size of each datagram in it
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
};

static ev_io io;
static int batch;
static char *buffers;
static struct message *messages;
static struct mmsghdr *received, *answers;
static struct iovec *parts;    // of the answers, in order

static int echo_one(int fd) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    ssize_t count = recvfrom(fd, buffers, max_message, 0, (struct sockaddr *)&peer, &size);
    if (count < 0) return 0;
    sendto(fd, buffers, (size_t)count, 0, (struct sockaddr *)&peer, size);
    return 1;
}

static int receive_batch(int fd) {
    for (int i = 0; i < batch; i++) {
        struct message *message = &messages[i];
        message->part = (struct iovec){.iov_base = buffers + (size_t)i * max_message, .iov_len = max_message};
        received[i].msg_hdr = (struct msghdr){
            .msg_name = &message->peer, .msg_namelen = sizeof message->peer, .msg_iov = &message->part, .msg_iovlen = 1,
            .msg_control = &message->control, .msg_controllen = sizeof message->control};
    }
    int count = recvmmsg(fd, received, (unsigned)batch, 0, NULL);
    for (int i = 0; i < count; i++) {
        struct message *message = &messages[i];
        message->part.iov_len = message->segment = received[i].msg_len;
        struct cmsghdr *header = CMSG_FIRSTHDR(&received[i].msg_hdr);
        if (header && header->cmsg_level == SOL_UDP && header->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(header), sizeof segment);
            if (segment > 0) message->segment = (size_t)segment;
        }
    }
    return count;
}

// Only the last datagram of a message may be shorter than the others.
static bool joins(const struct message *first, size_t length, const struct message *next) {
    size_t total = length + next->part.iov_len;
    return next->segment == first->segment && next->segment > 0 && length % first->segment == 0 &&
           total <= max_payload && total <= max_segments * first->segment &&
           memcmp(&next->peer, &first->peer, sizeof first->peer) == 0;
}

static void set_segment(struct msghdr *answer, struct message *first) {
    uint16_t segment = (uint16_t)first->segment;
    answer->msg_control = &first->control;
    answer->msg_controllen = CMSG_SPACE(sizeof segment);
    struct cmsghdr *header = CMSG_FIRSTHDR(answer);
    *header = (struct cmsghdr){
        .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof segment)};
    memcpy(CMSG_DATA(header), &segment, sizeof segment);
}

static int make_answers(int count) {
    int made = 0;
    for (int i = 0; i < count; made++) {
        struct message *first = &messages[i];
        struct iovec *start = &parts[i];
        size_t length = 0;
        do {
            parts[i] = messages[i].part;
            length += messages[i++].part.iov_len;
        } while (i < count && joins(first, length, &messages[i]));
        answers[made].msg_hdr = (struct msghdr){
            .msg_name = &first->peer, .msg_namelen = sizeof first->peer, .msg_iov = start,
            .msg_iovlen = (size_t)(&parts[i] - start)};
        if (length > first->segment) set_segment(&answers[made].msg_hdr, first);
    }
    return made;
}

static int echo_batch(int fd) {
    int count = receive_batch(fd), made = make_answers(count);
    for (int sent = 0; sent < made;) {
        int more = sendmmsg(fd, answers + sent, (unsigned)(made - sent), 0);
        sent += more > 0 ? more : 1;
    }
    return count;
}

static void ready(struct ev_loop *loop, ev_io *watcher, int events) {
    (void)loop;
    (void)events;
    for (int round = 0; round < max_rounds; round++) {
        int count = batch == 1 ? echo_one(watcher->fd) : echo_batch(watcher->fd);
        if (count < batch) return;
    }
}

void serve_udp_echo(struct ev_loop *loop, int *port, int datagrams) {
    batch = datagrams;
    size_t count = (size_t)batch;
    buffers = malloc(count * max_message);
    messages = calloc(count, sizeof *messages);
    received = calloc(count, sizeof *received);
    answers = calloc(count, sizeof *answers);
    parts = calloc(count, sizeof *parts);
    if (!buffers || !messages || !received || !answers || !parts) fail("no memory");
    int fd = bound_socket(SOCK_DGRAM, port), on = 1;
    if (batch > 1 && setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on) < 0) fail("UDP_GRO");
    ev_io_init(&io, ready, fd, EV_READ);
    ev_io_start(loop, &io);
}
