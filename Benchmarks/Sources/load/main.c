#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char usage[] = "usage: load echo PORT CONNECTIONS MILLISECONDS\n"
                            "       load short-connections PORT CONNECTIONS MILLISECONDS\n"
                            "       load datagrams PORT SOCKETS MILLISECONDS WINDOW JOINED\n"
                            "       load download PORT MEBIBYTES PAUSE_MS\n"
                            "       load tls-handshakes PORT CONNECTIONS MILLISECONDS RESUMED\n"
                            "       load tls-bodies PORT CONNECTIONS MILLISECONDS\n"
                            "       load lookups PORT NAMES ROUNDS\n"
                            "       load burst PORT CLIENTS BURSTS\n"
                            "       load slow PORT CONNECTIONS MILLISECONDS READERS\n";

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

int main(int argc, char **argv) {
    if (argc < 5) misused();
    const char *mode = argv[1];
    int port = number(argv[2], 1, 65535);
    int count = number(argv[3], 1, 100000), milliseconds = number(argv[4], 1, 3600 * 1000);
    double seconds = milliseconds / 1000.0;

    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (argc == 5 && strcmp(mode, "echo") == 0) load_echo(port, count, seconds);
    else if (argc == 5 && strcmp(mode, "short-connections") == 0) load_short_connections(port, count, seconds);
    else if (argc == 7 && strcmp(mode, "datagrams") == 0)
        load_datagrams(port, count, seconds, number(argv[5], 1, 10000), number(argv[6], 0, 1));
    else if (argc == 5 && strcmp(mode, "download") == 0) load_download(port, count, milliseconds);
    else if (argc == 6 && strcmp(mode, "tls-handshakes") == 0)
        load_tls_handshakes(port, count, seconds, number(argv[5], 0, 1));
    else if (argc == 5 && strcmp(mode, "tls-bodies") == 0) load_tls_bodies(port, count, seconds);
    else if (argc == 5 && strcmp(mode, "lookups") == 0 && count <= 65536) load_lookups(port, count, milliseconds);
    else if (argc == 5 && strcmp(mode, "burst") == 0 && milliseconds <= 100) load_burst(port, count, milliseconds);
    else if (argc == 6 && strcmp(mode, "slow") == 0) load_slow(port, count, seconds, number(argv[5], 0, 1));
    else misused();
    return 0;
}
