#define _GNU_SOURCE
#include "creactor_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int creactor_fork(void) {
    pid_t pid = fork();
    return pid < 0 ? -errno : pid;
}

int creactor_start_thread(size_t stack, void *(*body)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack);
    int error = pthread_create(&thread, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    return -error;
}

int creactor_accept(int listener, int nonblocking, struct sockaddr_storage *address, unsigned int *length) {
    *length = sizeof *address;
    int fd = accept4(listener, (struct sockaddr *)address, length, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
    return fd < 0 ? -errno : fd;
}

void creactor_ignore_broken_pipes(void) {
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}

int64_t creactor_sendfile(int fd, int file, int64_t offset, size_t count) {
    off_t position = offset;
    ssize_t sent = sendfile(fd, file, &position, count);
    return sent < 0 ? -errno : sent;
}

// What Linux passes at most in one message (SCM_MAX_FD).
enum { most_passed = 253 };

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(most_passed * sizeof(int))];
};

int64_t creactor_send_vector(int fd, const struct iovec *pieces, size_t count, const int *passed, int passed_count,
                             int flags) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
    union control control;
    if (passed_count > 0) {
        if (passed_count > most_passed) return -EINVAL;
        size_t size = passed_count * sizeof(int);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), passed, size);
    }
    ssize_t sent = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

int64_t creactor_receive_passed(int fd, void *buffer, size_t size, int flags, int *passed, int capacity,
                                int *passed_count) {
    union control control;
    struct iovec piece = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
    *passed_count = 0;
    ssize_t received = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (received < 0) return -errno;
    int refused = message.msg_flags & MSG_CTRUNC;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (refused || *passed_count == capacity) {
                refused = 1;
                close(descriptor);
            } else {
                passed[(*passed_count)++] = descriptor;
            }
        }
    }
    if (!refused) return received;
    while (*passed_count > 0) close(passed[--*passed_count]);
    return -EMSGSIZE;
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
static atomic_uint interruptions;

// A forked child leaves it to its parent: a terminal's Ctrl-C reaches both, and one word to stop is enough.
static void forward(int signo) {
    if (forward_to[signo] > 0 && getpid() == forwarder) creactor_eventfd_signal(forward_to[signo] - 1);
}
static void interrupt(int signo) {
    (void)signo;
    atomic_fetch_add_explicit(&interruptions, 1, memory_order_relaxed);
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
unsigned int creactor_interruptions(void) { return atomic_load_explicit(&interruptions, memory_order_relaxed); }

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

int creactor_timer_make(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void creactor_timer_set(int timer, uint64_t moment) {
    struct itimerspec spec = {.it_value = {(time_t)(moment / 1000000000u), (long)(moment % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static uint64_t nanoseconds(struct timeval time) { return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u; }

void creactor_thread_cpu(uint64_t *user, uint64_t *system) {
    struct rusage usage = {0};
    getrusage(RUSAGE_THREAD, &usage);
    *user = nanoseconds(usage.ru_utime);
    *system = nanoseconds(usage.ru_stime);
}
