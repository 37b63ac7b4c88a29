// Servers in hand-written C on libev: what the same job costs at the least. One thread, epoll.

#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { default_batch = 64, max_batch = 1024 };

static const char usage[] = "usage: floor http|echo|smtp|rpc|udp-echo|dns [PORT [BATCH]]\n"
                            "       floor --version | --backends\n";

_Noreturn void fail(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
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

// Those of libev's backends that it was built with, and that this kernel grants.
static void print_backends(void) {
    static const struct {
        unsigned flag;
        const char *name;
    } all[] = {{EVBACKEND_SELECT, "select"}, {EVBACKEND_POLL, "poll"}, {EVBACKEND_EPOLL, "epoll"},
               {EVBACKEND_LINUXAIO, "linuxaio"}, {EVBACKEND_IOURING, "io_uring"}};
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
        struct ev_loop *loop = ev_loop_new(all[index].flag | EVFLAG_NOENV);
        if (!loop) continue;
        puts(all[index].name);
        ev_loop_destroy(loop);
    }
}

static void stop(struct ev_loop *loop, ev_signal *signal, int events) {
    (void)signal;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("libev %d.%d\n", ev_version_major(), ev_version_minor());
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--backends") == 0) {
        print_backends();
        return 0;
    }
    if (argc < 2 || argc > 4) misused();
    const char *mode = argv[1];
    int port = argc > 2 ? number(argv[2], 0, 65535) : 0;
    int batch = argc > 3 ? number(argv[3], 1, max_batch) : default_batch;

    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (!loop) fail("no event loop on epoll");
    if (strcmp(mode, "http") == 0) serve_http(loop, &port);
    else if (strcmp(mode, "echo") == 0) serve_echo(loop, &port);
    else if (strcmp(mode, "smtp") == 0) serve_smtp(loop, &port);
    else if (strcmp(mode, "rpc") == 0) serve_rpc(loop, &port);
    else if (strcmp(mode, "udp-echo") == 0) serve_udp_echo(loop, &port, batch);
    else if (strcmp(mode, "dns") == 0) serve_dns(loop, &port);
    else misused();

    ev_signal terminate, interrupt;
    ev_signal_init(&terminate, stop, SIGTERM);
    ev_signal_start(loop, &terminate);
    ev_signal_init(&interrupt, stop, SIGINT);
    ev_signal_start(loop, &interrupt);

    fprintf(stderr, "listening on %s://127.0.0.1:%d\n", mode, port);
    ev_run(loop, 0);
    return 0;
}
