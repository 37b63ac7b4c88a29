#define _GNU_SOURCE
#include "creactor_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int creactor_fork(void) {
    pid_t pid = fork();
    return pid < 0 ? -errno : pid;
}

int creactor_accept(int listener, int nonblocking, struct sockaddr_storage *address, unsigned int *length) {
    *length = sizeof *address;
    int fd = accept4(listener, (struct sockaddr *)address, length, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
    return fd < 0 ? -errno : fd;
}

int creactor_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void creactor_eventfd_signal(int fd) {
    int saved = errno;
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
    errno = saved;
}

void creactor_eventfd_clear(int fd) {
    uint64_t count;
    ssize_t ignored = read(fd, &count, sizeof count);
    (void)ignored;
}

int creactor_input_set(const int *descriptors, int count, int exclusive) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) return -errno;
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN | (i < exclusive ? EPOLLEXCLUSIVE : 0),
                                    .data.fd = descriptors[i]};
        if (epoll_ctl(set, EPOLL_CTL_ADD, descriptors[i], &event) < 0) {
            int error = errno;
            close(set);
            return -error;
        }
    }
    return set;
}

int creactor_input_wait(int set, int *ready, int capacity, int timeout_ms) {
    struct epoll_event events[16];
    if (capacity > 16) capacity = 16;
    int count = epoll_wait(set, events, capacity, timeout_ms);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) ready[i] = events[i].data.fd;
    return count;
}

// One slot a signal: a handler may touch nothing but lock-free memory.
static volatile int forward_to[NSIG]; // The descriptor plus one; 0 for none.
static volatile pid_t forwarder;
static volatile sig_atomic_t interruptions;

// A forked child leaves it to its parent: a terminal's Ctrl-C reaches both, and one word to stop is enough.
static void forward(int signo) {
    if (forward_to[signo] > 0 && getpid() == forwarder) creactor_eventfd_signal(forward_to[signo] - 1);
}
static void interrupt(int signo) {
    (void)signo;
    interruptions++;
}

static int install(int signo, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    if (sigaction(signo, &action, NULL) < 0) return -errno;
    // A parent may have left it blocked; threads started from here inherit the mask.
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signo);
    return -pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

int creactor_forward_signal(int signo, int fd) {
    if (signo <= 0 || signo >= NSIG) return -EINVAL;
    forward_to[signo] = fd + 1;
    forwarder = getpid();
    return install(signo, forward, SA_RESTART);
}

void creactor_stop_forwarding(int fd) {
    for (int signo = 1; signo < NSIG; signo++) {
        if (forward_to[signo] != fd + 1) continue;
        signal(signo, SIG_DFL);
        forward_to[signo] = 0;
    }
}

int creactor_interrupt_on(int signo) { return install(signo, interrupt, 0); }
unsigned int creactor_interruptions(void) { return (unsigned int)interruptions; }

int creactor_become_child(int parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return getppid() == parent;
}

int creactor_open_beneath(int directory, const char *path) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

uint64_t creactor_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return limit.rlim_cur;
}

uint64_t creactor_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
