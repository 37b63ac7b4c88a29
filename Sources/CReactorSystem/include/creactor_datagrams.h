// recvmmsg(2), sendmmsg(2) and the control messages of datagram sockets: the kernel's structures are filled in and read
// here, and nothing is decided.
#ifndef CREACTOR_DATAGRAMS_H
#define CREACTOR_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

// An address of this machine, in network order; an IPv4 address is in the first four bytes. `family` is 0 if unknown.
struct creactor_route {
    uint32_t family;
    uint32_t interface;
    uint64_t destination[2]; // Where a received datagram was sent to.
    uint64_t source[2];      // Where an answer leaves from; all zero if the kernel is to choose.
};

// One message, as received.
struct creactor_received {
    const void *payload;
    uint32_t length;      // Bytes there are.
    uint32_t full_length; // Bytes there were: more, if the slot was too short.
    uint32_t segment;     // UDP_GRO: the message is several datagrams of this many bytes. Otherwise 0.
    uint32_t name_length;
    struct creactor_route route;
};

// One message from a socket's error queue (IP_RECVERR).
struct creactor_socket_error {
    uint32_t code;   // errno
    uint8_t origin;  // 1: this machine, 2: ICMP, 3: ICMPv6
    uint8_t icmp_type;
    uint8_t icmp_code;
    uint32_t info;   // The MTU, where that is the matter.
    uint32_t name_length;     // Of the destination of the datagram that failed.
    uint32_t offender_length; // Of the host that reports it; 0 if unknown.
};

// The arrays for `count` messages at a time, each with room for `slot` bytes to receive. NULL without memory.
struct creactor_batch;
struct creactor_batch *creactor_batch_make(int count, size_t slot);
void creactor_batch_free(struct creactor_batch *batch);

// Receives at most `count` messages; the name of the nth is written at `names` + n * `stride`, 128 bytes at most.
// Of family AF_UNSPEC if the sender has none. On a Unix-domain socket there is no room for what comes beside the payload:
// the kernel would put descriptors there that a peer passes (SCM_RIGHTS), and nobody would close them.
// Returns how many, or -errno.
int creactor_batch_receive(struct creactor_batch *batch, int fd, int count, void *names, size_t stride, int is_unix);
const struct creactor_received *creactor_batch_received(const struct creactor_batch *batch, int index);

// Makes the message at `index` ready to be sent. With a `segment` it is cut into datagrams of that size (UDP_SEGMENT).
void creactor_batch_put(struct creactor_batch *batch, int index, const void *name, uint32_t name_length,
                        const void *payload, size_t length, uint32_t segment, const struct creactor_route *route);
// Sends the first `count` of those made ready. Returns how many, or -errno if not even one.
int creactor_batch_send(struct creactor_batch *batch, int fd, int count);

// Takes one message from the error queue. `name` and `offender` have room for 128 bytes. Returns 1, 0 if there is none.
int creactor_socket_error_take(int fd, struct creactor_socket_error *error, void *name, void *offender);

// Joins (or leaves) a multicast group: `group` is an address of `family` in network order, `interface` a number, or 0
// for the kernel's choice. Returns 0 or -errno.
int creactor_multicast_join(int fd, uint32_t family, const uint64_t *group, uint32_t interface, int join);
// Where multicast leaves from. Returns 0 or -errno.
int creactor_multicast_interface(int fd, uint32_t family, uint32_t interface);

// Datagrams that the kernel dropped because the socket's receive buffer was full, since it was made.
uint32_t creactor_socket_drops(int fd);

extern const int creactor_udp_gro;
extern const int creactor_udp_segment;
extern const int creactor_ipv6_multicast_all;

#endif
