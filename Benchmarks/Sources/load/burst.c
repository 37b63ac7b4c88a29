#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { max_answer = 1024, max_events = 256 };
static const double patience = 10, rest = 0.2;

struct client {
    int fd;    // -1: it is over
    bool requested;
    size_t received;
    char answer[max_answer];
};

static struct client *clients;
static double *latencies;
static size_t answered;
static uint64_t failures;
static int waiting;

static void end(struct client *client, bool succeeded, double latency) {
    close_reset(client->fd);
    client->fd = -1;
    waiting--;
    if (succeeded) latencies[answered++] = latency;
    else failures++;
}

static void advance(struct client *client, int epoll, uint32_t index, double began) {
    if (!client->requested) {
        ssize_t sent = send(client->fd, plaintext_request, plaintext_request_size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
        if (sent != (ssize_t)plaintext_request_size) return end(client, false, 0);
        client->requested = true;
        watch(epoll, EPOLL_CTL_MOD, client->fd, EPOLLIN, index);
        return;
    }
    while (true) {
        if (client->received == max_answer) wrong("the answer is too long");
        ssize_t count = recv(client->fd, client->answer + client->received, max_answer - client->received, 0);
        if (count < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            return end(client, false, 0);
        }
        // The server closes behind its answer; what it closes before is cut off.
        if (count == 0) {
            if (client->received == 0) return end(client, false, 0);
            check_plaintext(client->answer, client->received);
            return end(client, true, now() - began);
        }
        client->received += (size_t)count;
    }
}

// Returns how long it was until the last was answered.
static double burst(int port, int count) {
    int epoll = new_epoll();
    double began = now();
    for (int i = 0; i < count; i++) {
        clients[i] = (struct client){.fd = source_socket(SOCK_STREAM | SOCK_NONBLOCK, i)};
        waiting++;
        if (!connect_to(clients[i].fd, port) && errno != EINPROGRESS) end(&clients[i], false, 0);
        else watch(epoll, EPOLL_CTL_ADD, clients[i].fd, EPOLLIN | EPOLLOUT, (uint32_t)i);
    }
    while (waiting > 0 && now() < began + patience) {
        struct epoll_event events[max_events];
        int ready = epoll_wait(epoll, events, max_events, 100);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            uint32_t index = events[i].data.u32;
            if (clients[index].fd >= 0) advance(&clients[index], epoll, index, began);
        }
    }
    double took = now() - began;
    for (int i = 0; i < count; i++) {
        if (clients[i].fd >= 0) end(&clients[i], false, 0);
    }
    close(epoll);
    return took;
}

static int ascending(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

// Of the sorted latencies, in microseconds.
static double percentile(double percent) {
    if (answered == 0) return 0;
    size_t rank = (size_t)ceil(percent / 100 * (double)answered);
    return latencies[rank > 0 ? rank - 1 : 0] * 1e6;
}

void load_burst(int port, int count, int bursts) {
    clients = calloc((size_t)count, sizeof *clients);
    latencies = calloc((size_t)count * (size_t)bursts, sizeof *latencies);
    double *durations = calloc((size_t)bursts, sizeof *durations);
    if (!clients || !latencies || !durations) fail("no memory");
    double seconds = 0;
    for (int i = 0; i < bursts; i++) {
        durations[i] = burst(port, count);
        seconds += durations[i];
        usleep((useconds_t)(rest * 1e6));
    }
    qsort(latencies, answered, sizeof *latencies, ascending);
    qsort(durations, (size_t)bursts, sizeof *durations, ascending);
    printf("count=%zu seconds=%.6f failures=%llu burst_seconds=%.6f", answered, seconds, (unsigned long long)failures,
           durations[bursts / 2]);
    printf(" p50_us=%.1f p90_us=%.1f p99_us=%.1f p999_us=%.1f max_us=%.1f\n", percentile(50), percentile(90), percentile(99),
           percentile(99.9), percentile(100));
}
