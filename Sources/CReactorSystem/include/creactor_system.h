// System calls that Swift cannot import (fork, variadic functions, GNU extensions), each behind a plain function.
// Those of datagram sockets have a header of their own, creactor_datagrams.h.
#ifndef CREACTOR_SYSTEM_H
#define CREACTOR_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

// Declared, not included: a module that includes the system's headers would come to own their types.
struct sockaddr_storage;
struct iovec;

// fork(2). Swift marks it unavailable because a copied runtime may hold locks: call it only while one thread exists.
int creactor_fork(void);

// Starts a detached thread with `stack` bytes of stack. Returns -errno on failure.
int creactor_start_thread(size_t stack, void *(*body)(void *), void *argument);

// accept4(2) with SOCK_CLOEXEC, and SOCK_NONBLOCK where asked. Returns -errno on failure.
int creactor_accept(int listener, int nonblocking, struct sockaddr_storage *address, unsigned int *length);

// Ignores SIGPIPE, unless the process handles it: sendfile(2) knows no MSG_NOSIGNAL, and a peer that vanishes must not
// end the process.
void creactor_ignore_broken_pipes(void);
// sendfile(2) from `offset`. Returns how many bytes were sent, or -errno.
int64_t creactor_sendfile(int fd, int file, int64_t offset, size_t count);
// sendmsg(2) with MSG_NOSIGNAL and `flags`; passes `passed_count` descriptors along (SCM_RIGHTS). Returns how many bytes
// were sent, or -errno.
int64_t creactor_send_vector(int fd, const struct iovec *pieces, size_t count, const int *passed, int passed_count,
                             int flags);
// recvmsg(2) that takes up to `capacity` descriptors, close-on-exec. Returns how many bytes came, or -errno; -EMSGSIZE
// if more descriptors came, none of which is kept.
int64_t creactor_receive_passed(int fd, void *buffer, size_t size, int flags, int *passed, int capacity,
                                int *passed_count);

// eventfd(2), close-on-exec and non-blocking. Returns -errno on failure.
int creactor_eventfd(void);
// Adds one to an eventfd. Safe in a signal handler.
void creactor_eventfd_signal(int fd);
void creactor_eventfd_clear(int fd);

// An epoll instance that watches `count` descriptors for input. For each event on one of the first `exclusive` of
// them, one of the waiting threads and processes is woken instead of all (EPOLLEXCLUSIVE). Returns -errno on failure.
int creactor_input_set(const int *descriptors, int count, int exclusive);
// Waits at most `timeout_ms` (-1: for ever). Returns how many descriptors of `ready` were filled in, or -errno.
int creactor_input_wait(int set, int *ready, int capacity, int timeout_ms);

// On `signo`, adds one to the eventfd `fd`; in processes forked later, does nothing. Returns -errno on failure.
int creactor_forward_signal(int signo, int fd);
// Before `fd` is closed: the signals forwarded to it get their default disposition back.
void creactor_stop_forwarding(int fd);
// On `signo`, does nothing but interrupt a blocking call (no SA_RESTART) and count. Returns -errno on failure.
int creactor_interrupt_on(int signo);
unsigned int creactor_interruptions(void);

// In a forked child: an empty signal mask, and SIGKILL when the parent dies.
// Returns 0 if the parent was already gone.
int creactor_become_child(int parent);

// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, read-only, close-on-exec. Returns -errno on failure.
int creactor_open_beneath(int directory, const char *path);

// setrlimit(RLIMIT_NOFILE) to the hard limit; returns the limit now in force.
uint64_t creactor_raise_descriptor_limit(void);

// CLOCK_MONOTONIC in nanoseconds.
uint64_t creactor_monotonic_ns(void);

// timerfd_create(2) on CLOCK_MONOTONIC, close-on-exec and non-blocking: readable at a moment that is exact to microseconds,
// where the loop's own timers are to milliseconds. Returns -errno on failure.
int creactor_timer_make(void);
// Makes it readable at `moment`, in nanoseconds, and not before; 0: never.
void creactor_timer_set(int timer, uint64_t moment);

// CPU time of the calling thread in nanoseconds (getrusage(2)).
void creactor_thread_cpu(uint64_t *user, uint64_t *system);

#endif
