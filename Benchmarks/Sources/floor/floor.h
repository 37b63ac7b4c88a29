// What the floors share: one loop on epoll, and a TCP listener that accepts in batches.
#ifndef FLOOR_H
#define FLOOR_H

#include <ev.h>
#include <stddef.h>

// Prints why the program cannot go on, and ends it.
_Noreturn void fail(const char *what);

// Non-blocking, bound to 127.0.0.1:*port; *port becomes the port that the system chose for 0.
int bound_socket(int type, int *port);

// Accepts connections from now on; `serve` owns each. `port` as for bound_socket().
void listen_with(struct ev_loop *loop, int *port, void (*serve)(struct ev_loop *loop, int fd));
// A descriptor was closed: goes on accepting if there was none left to accept with.
void descriptor_freed(struct ev_loop *loop);

// Changes what is watched for.
void watch(struct ev_loop *loop, ev_io *io, int events);
// Copies bytes that must outlive this turn. Returns NULL if there is no memory.
char *keep(const char *bytes, size_t length);

void serve_http(struct ev_loop *loop, int *port);
void serve_smtp(struct ev_loop *loop, int *port);
void serve_rpc(struct ev_loop *loop, int *port);
void serve_echo(struct ev_loop *loop, int *port);
// `batch`: how many datagrams one system call moves at most.
void serve_udp_echo(struct ev_loop *loop, int *port, int batch);
void serve_dns(struct ev_loop *loop, int *port);

#endif
