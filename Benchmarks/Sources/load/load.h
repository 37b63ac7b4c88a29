// What the load generators share. Each runs on one thread, checks every byte that comes back, and prints one line of
// key=value pairs at its end; a wrong answer ends it at once.
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Prints why the load cannot go on, and ends the program.
_Noreturn void fail(const char *what);
// The same where the server is at fault rather than a system call.
_Noreturn void wrong(const char *what);

// Monotonic seconds.
double now(void);
// A set of descriptors to wait for.
int new_epoll(void);
void watch(int epoll, int operation, int fd, uint32_t events, uint32_t index);
// Calls `ready` for whatever is, for so long; a server that is silent for 5 s ends the program. Returns how long it was.
double drive(int epoll, double seconds, void (*ready)(uint32_t index));

// A socket bound to 127.0.0.(2 + index % sources): no limit a peer address can matter, and there are ports enough.
int source_socket(int type, int index);
// Connects to 127.0.0.1:port. False with errno set.
bool connect_to(int fd, int port);
// Closes with a reset, so that neither side is left in TIME_WAIT.
void close_reset(int fd);

// GET /plaintext with Connection: close.
extern const char plaintext_request[];
extern const size_t plaintext_request_size;
// Ends the program if these bytes are not the whole answer to it.
void check_plaintext(const char *answer, size_t length);

// Echo: `connections` with one message of 64 bytes on its way each.
void load_echo(int port, int connections, double seconds);
// Connections that make one request each, `connections` of them at a time.
void load_short_connections(int port, int connections, double seconds);
// Datagrams of 64 bytes from `sockets`, at most `window` outstanding each. `joined`: the kernel moves those of a socket in
// one piece (UDP_SEGMENT, UDP_GRO).
void load_datagrams(int port, int sockets, double seconds, int window, bool joined);
// Reads `mebibytes` of the Character Generator Protocol (RFC 864), 16 at a time with a pause behind each.
void load_download(int port, int mebibytes, int pause_ms);
// As load_short_connections, over TLS 1.3: a handshake, a request, and the server's close_notify and end. `resumed`: with
// a ticket of the connection before (RFC 8446, section 2.2), and a key exchange like the others.
void load_tls_handshakes(int port, int connections, double seconds, bool resumed);
// The file of 1 MiB, again and again on connections that stay open, over TLS 1.3. Counts bytes of bodies.
void load_tls_bodies(int port, int connections, double seconds);
// Looks up the A records of `count` names, a hundred at a time, and of as many others in each further round. Each must be
// 127.0.0.1. At most 65,536: more have no ids of their own.
void load_lookups(int port, int count, int rounds);
// From nothing to `clients` at once: each connects and makes a request. So often, with a pause between. Percentiles of the
// times from the beginning of a burst to the whole answer; what is not answered within 10 s has failed.
void load_burst(int port, int clients, int bursts);
// Clients that are in no hurry: each tenth of a second they send a byte of their request, or, as readers, take a byte of
// a hundred answers of 64 KiB. What the server cuts off comes again, and is counted as a failure.
void load_slow(int port, int connections, double seconds, bool readers);

#endif
