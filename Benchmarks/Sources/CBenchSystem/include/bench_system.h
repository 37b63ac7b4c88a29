// System calls that Swift cannot import or must not make in a forked child, each behind a plain function.
// Failures are returned as -errno.
#ifndef BENCH_SYSTEM_H
#define BENCH_SYSTEM_H

#include <stdint.h>
#include <sys/types.h>

// Starts `path` with `argv` in a process group of its own, standard output and error into `output`, pinned to `cpu`
// (-1: not pinned). The kernel kills the child if the calling thread dies, so call it on the main thread. Returns its
// process id once the program has been started, or the error that kept it from starting.
pid_t bench_spawn(const char *path, char *const argv[], int output, int cpu);

// What a process used, ended threads and the children that it waited for included. Times in nanoseconds.
struct bench_usage {
    int64_t user_ns, system_ns;
    // Context switches: because it waited, and because others were to run.
    int64_t voluntary, involuntary;
};

// Waits at most `timeout_ms` for `pid` to exit. Then kills what is left of its process group, and reaps it: *status is
// as waitpid's. Returns 1 when it exited, 0 when the time passed first.
int bench_wait(pid_t pid, int timeout_ms, int *status, struct bench_usage *usage);

// CPU time of this process so far, in nanoseconds.
int64_t bench_own_cpu_ns(void);

// Sends `signo` to the whole process group of `pid`.
void bench_signal_group(pid_t pid, int signo);

// On SIGINT, SIGTERM and SIGHUP: kills every group that was started and not yet reaped, then dies of that signal.
void bench_kill_children_on_signals(void);
// What is printed on standard error then, at most 1000 bytes; an empty text is nothing.
void bench_set_last_words(const char *text);

// What is removed with all that is in it, once the groups are killed, when one of these signals comes. Returns a place in
// the list for bench_forget_directory, or -1 where there is none, or the path is too long.
int bench_remove_on_signals(const char *path);
void bench_forget_directory(int place);
// For tests: a child that gets the signal, and knows that directory, but no group. Returns its process id.
pid_t bench_fork_to_die(int signo, int place);

// CPU time of a process in nanoseconds: all its threads, ended ones too, but not its children.
int64_t bench_process_cpu_ns(pid_t pid);

// An anonymous file in memory, close-on-exec.
int bench_memory_file(void);

// The CPUs that this process may use, in ascending order. Returns how many of `cpus` were filled in.
int bench_usable_cpus(int *cpus, int capacity);
int bench_pin_self(int cpu);

// Sets RLIMIT_NOFILE to its hard limit, for this process and those it starts. Returns the limit now in force.
int64_t bench_raise_descriptor_limit(void);

// A blocking TCP connection to 127.0.0.1:port whose sends and receives give up after `timeout_ms`. `source_host` is the
// last byte of its own address, 127.0.0.x. Returns the descriptor.
int bench_connect(uint16_t port, uint8_t source_host, int timeout_ms);

// A port of 127.0.0.1 that nothing listens on, for programs that cannot choose one themselves.
int bench_free_port(void);

// Closes with a reset, so that thousands of closed connections leave no ports in TIME_WAIT.
void bench_close_reset(int fd);

// TLS for a client, over a blocking connection, with OpenSSL's defaults and no question who the server is. Writes what was
// negotiated into `text` ("TLSv1.3 TLS_AES_256_GCM_SHA384 x25519"), or why it failed, and returns NULL then.
typedef struct bench_tls bench_tls;
bench_tls *bench_tls_connect(int fd, char *text, size_t size);
// As send() and recv(); 0 is a close_notify.
ssize_t bench_tls_send(bench_tls *tls, const void *bytes, size_t length);
ssize_t bench_tls_recv(bench_tls *tls, void *bytes, size_t length);
// Leaves the connection open. NULL is nothing.
void bench_tls_free(bench_tls *tls);
// Of the OpenSSL library in use.
const char *bench_tls_version(void);

#endif
