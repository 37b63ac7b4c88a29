#define _GNU_SOURCE
#include "creactor_tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int wire_read(BIO *bio, char *room, size_t size, size_t *count) {
    struct creactor_tls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t taken = wire->waiting < size ? wire->waiting : size;
    if (taken == 0 || creactor_tls_is_flooded(wire)) {
        // More may always come: that the stream has ended is for the layer above to judge.
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(room, wire->input, taken);
    wire->input += taken;
    wire->waiting -= taken;
    wire->received += taken;
    *count = taken;
    return 1;
}

static int wire_write(BIO *bio, const char *bytes, size_t size, size_t *count) {
    struct creactor_tls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    wire->send(wire->owner, bytes, size);
    *count = size;
    return 1;
}

static long wire_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int wire_destroy(BIO *bio) {
    free(BIO_get_data(bio));
    return 1;
}

static BIO_METHOD *method;

static void make_method(void) {
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lent bytes");
    if (!made) return;
    BIO_meth_set_read_ex(made, wire_read);
    BIO_meth_set_write_ex(made, wire_write);
    BIO_meth_set_ctrl(made, wire_control);
    BIO_meth_set_destroy(made, wire_destroy);
    method = made;
}

// Called for each message and each record, so it is as short as can be.
static void count_late_messages(int sent, int version, int type, const void *bytes, size_t count, SSL *ssl, void *argument) {
    (void)version, (void)bytes, (void)count, (void)ssl;
    struct creactor_tls_wire *wire = argument;
    if (type == SSL3_RT_HANDSHAKE && !sent && wire->established) wire->late_messages++;
}

struct creactor_tls_wire *creactor_tls_join(SSL *ssl, void *owner, void (*send)(void *owner, const void *bytes, size_t count)) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    struct creactor_tls_wire *wire = calloc(1, sizeof *wire);
    BIO *bio = wire && method ? BIO_new(method) : NULL;
    if (!bio) {
        free(wire);
        return NULL;
    }
    wire->owner = owner;
    wire->send = send;
    wire->bytes_per_late_message = 1;
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_msg_callback(ssl, count_late_messages);
    SSL_set_msg_callback_arg(ssl, wire);
    return wire;
}

void *creactor_shared_counter_new(void) {
    void *counter =
        mmap(NULL, sizeof(_Atomic uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return counter == MAP_FAILED ? NULL : counter;
}

void creactor_shared_counter_free(void *counter) { munmap(counter, sizeof(_Atomic uint32_t)); }
uint32_t creactor_shared_counter_value(const void *counter) {
    return atomic_load_explicit((const _Atomic uint32_t *)counter, memory_order_seq_cst);
}
uint32_t creactor_shared_counter_add(void *counter) {
    return atomic_fetch_add_explicit((_Atomic uint32_t *)counter, 1, memory_order_seq_cst) + 1;
}

int creactor_memory_file(void) {
    int fd = memfd_create("tls", MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
