#define _GNU_SOURCE
#include "bench_system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// MARK: Children

// The groups to kill when a signal ends the harness. A handful of processes run at a time.
enum { max_groups = 16 };
static volatile sig_atomic_t groups[max_groups];

static void replace_group(pid_t old, pid_t new) {
    for (int i = 0; i < max_groups; i++) {
        if (groups[i] == old) {
            groups[i] = new;
            return;
        }
    }
}

enum { max_directories = 8, max_path = 256 };
static char directories[max_directories][max_path];

int bench_remove_on_signals(const char *path) {
    if (strlen(path) >= max_path) return -1;
    for (int i = 0; i < max_directories; i++) {
        if (directories[i][0]) continue;
        // The first byte last: until it is there a signal finds an empty place.
        strcpy(directories[i] + 1, path + 1);
        directories[i][0] = path[0];
        return i;
    }
    return -1;
}

void bench_forget_directory(int place) {
    if (place >= 0 && place < max_directories) directories[place][0] = 0;
}

// Nothing but async-signal-safe calls.
static void remove_directories(void) {
    for (int i = 0; i < max_directories; i++) {
        if (!directories[i][0]) continue;
        char *const argv[] = {"rm", "-rf", "--", directories[i], NULL};
        pid_t pid = fork();
        if (pid == 0) {
            execv("/bin/rm", argv);
            _exit(127);
        }
        if (pid > 0) waitpid(pid, NULL, 0);
    }
}

// Two places, so that a signal in the middle of a change finds the whole of one.
static char last_words[2][1001];
static volatile sig_atomic_t last_words_place;

void bench_set_last_words(const char *text) {
    int place = 1 - last_words_place;
    size_t length = strnlen(text, sizeof last_words[place] - 1);
    memcpy(last_words[place], text, length);
    last_words[place][length] = 0;
    last_words_place = place;
}

static void die(int signo) {
    for (int i = 0; i < max_groups; i++) {
        if (groups[i] > 0) kill(-groups[i], SIGKILL);
    }
    // A killed process may still end a system call that makes a file.
    for (int i = 0; i < max_groups; i++) {
        if (groups[i] > 0) waitpid(groups[i], NULL, 0);
    }
    remove_directories();
    const char *words = last_words[last_words_place];
    ssize_t ignored = write(2, words, strlen(words));
    (void)ignored;
    signal(signo, SIG_DFL);
    raise(signo);
}

void bench_kill_children_on_signals(void) {
    struct sigaction action = {.sa_handler = die};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

pid_t bench_fork_to_die(int signo, int place) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    for (int i = 0; i < max_groups; i++) groups[i] = 0;
    for (int i = 0; i < max_directories; i++) {
        if (i != place) directories[i][0] = 0;
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    die(signo);
    _exit(127);
}

// Runs in the child: nothing but async-signal-safe calls.
static void become(const char *path, char *const argv[], int output, int cpu, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) < 0) return;
    }
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) return;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    // Not the caller's mask: a thread of a pool may have blocked the very signals that end the child.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(path, argv);
}

pid_t bench_spawn(const char *path, char *const argv[], int output, int cpu) {
    int report[2];    // closed by a successful exec; carries errno otherwise
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;

    // No signal may come between the birth of the child and its entry in the list.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become(path, argv, output, cpu, parent);
        int error = errno;
        ssize_t ignored = write(report[1], &error, sizeof error);
        (void)ignored;
        _exit(127);
    }
    int error = pid < 0 ? errno : 0;
    if (pid > 0) {
        setpgid(pid, pid);
        replace_group(0, pid);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (pid > 0 && read(report[0], &error, sizeof error) == sizeof error) {
        int status;
        struct bench_usage usage;
        bench_wait(pid, -1, &status, &usage);
    }
    close(report[0]);
    return error ? -error : pid;
}

static int64_t nanoseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_usec * 1000; }

int bench_wait(pid_t pid, int timeout_ms, int *status, struct bench_usage *usage) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return -errno;
    struct pollfd exited = {.fd = fd, .events = POLLIN};
    int count = poll(&exited, 1, timeout_ms);
    int error = errno;
    close(fd);
    if (count < 0) return -error;
    if (count == 0) return 0;
    kill(-pid, SIGKILL);    // before reaping: until then nobody else can have this group's number
    struct rusage used;
    if (wait4(pid, status, 0, &used) < 0) return -errno;
    replace_group(pid, 0);
    *usage = (struct bench_usage){nanoseconds(used.ru_utime), nanoseconds(used.ru_stime), used.ru_nvcsw, used.ru_nivcsw};
    return 1;
}

void bench_signal_group(pid_t pid, int signo) { kill(-pid, signo); }

// MARK: Measures

int64_t bench_process_cpu_ns(pid_t pid) {
    clockid_t clock;
    struct timespec time;
    int error = clock_getcpuclockid(pid, &clock);
    if (error) return -error;
    if (clock_gettime(clock, &time) < 0) return -errno;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t bench_own_cpu_ns(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) < 0) return -errno;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// MARK: The machine

int bench_memory_file(void) {
    int fd = memfd_create("bench", MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int bench_usable_cpus(int *cpus, int capacity) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return 0;
    int count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++) {
        if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
    }
    return count;
}

int bench_pin_self(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

int64_t bench_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    return (int64_t)limit.rlim_cur;
}

// MARK: Connections

static int connected(int fd, uint16_t port, uint8_t source_host, int timeout_ms) {
    int on = 1;
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    // The port is chosen at connect(), when the destination is known: ports may then be shared between servers.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u + source_host)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return -errno;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

int bench_connect(uint16_t port, uint8_t source_host, int timeout_ms) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int error = connected(fd, port, source_host, timeout_ms);
    if (error == 0) return fd;
    close(fd);
    return error;
}

int bench_free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int failed = bind(fd, (struct sockaddr *)&address, size) < 0 ||
                 getsockname(fd, (struct sockaddr *)&address, &size) < 0;
    int error = errno;
    close(fd);
    return failed ? -error : ntohs(address.sin_port);
}

void bench_close_reset(int fd) {
    struct linger abort = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close(fd);
}
