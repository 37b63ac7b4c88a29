// What an SSL reads from and writes to: no socket, but bytes that are lent to it, and a function that takes what it sends.
#ifndef CREACTOR_TLS_H
#define CREACTOR_TLS_H

#include <stddef.h>
#include <stdint.h>

struct ssl_st; // Declared, not included: COpenSSL owns OpenSSL's types.

struct creactor_tls_wire {
    const uint8_t *input; // Lent, and read from the front.
    size_t waiting;       // Bytes of it that were not yet read.
    void *owner;
    void (*send)(void *owner, const void *bytes, size_t count);
    uint64_t received; // Bytes read so far.
    // Handshake messages received after `established` was set, and how many may be: so many, and one more for each so
    // many bytes received. Past that nothing more is read, be it in the middle of what was lent.
    uint64_t late_messages;
    uint64_t late_allowance;
    uint64_t bytes_per_late_message; // Not 0.
    int established;
};

// Whether the peer has sent too many such messages.
static inline int creactor_tls_is_flooded(const struct creactor_tls_wire *wire) {
    return wire->late_messages > wire->late_allowance + wire->received / wire->bytes_per_late_message;
}

// Joins `ssl` to a new wire, which is freed with it. NULL without memory.
struct creactor_tls_wire *creactor_tls_join(struct ssl_st *ssl, void *owner,
                                            void (*send)(void *owner, const void *bytes, size_t count));

// A counter, at first 0, that this process and those forked later have in common. NULL without memory.
void *creactor_shared_counter_new(void);
void creactor_shared_counter_free(void *counter);
uint32_t creactor_shared_counter_value(const void *counter);
// Adds one, and returns the sum.
uint32_t creactor_shared_counter_add(void *counter);

// memfd_create(2), close-on-exec. Returns -errno on failure.
int creactor_memory_file(void);

#endif
