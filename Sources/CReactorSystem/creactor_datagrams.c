#define _GNU_SOURCE
#include "creactor_datagrams.h"

#include <errno.h>
#include <time.h> // errqueue.h uses what it does not include.
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

const int creactor_udp_gro = UDP_GRO;
const int creactor_udp_segment = UDP_SEGMENT;
const int creactor_ipv6_multicast_all = IPV6_MULTICAST_ALL;

// Both packet infos of a dual-stack socket and UDP_GRO; or a packet info and UDP_SEGMENT.
enum { CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int)) };

union control {
    struct cmsghdr header; // For its alignment.
    char bytes[CONTROL];
};

struct creactor_batch {
    int count;
    size_t slot, stride;
    char *slots;
    struct mmsghdr *messages;
    struct iovec *vectors;
    union control *controls;
    struct creactor_received *received;
};

struct creactor_batch *creactor_batch_make(int count, size_t slot) {
    struct creactor_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->count = count;
    batch->slot = slot;
    // Slots a power of two apart would all compete for the same lines of the caches.
    batch->stride = slot + 17 * 64;
    batch->slots = malloc(batch->stride * (size_t)count);
    batch->messages = calloc((size_t)count, sizeof *batch->messages);
    batch->vectors = calloc((size_t)count, sizeof *batch->vectors);
    batch->controls = calloc((size_t)count, sizeof *batch->controls);
    batch->received = calloc((size_t)count, sizeof *batch->received);
    if (batch->slots && batch->messages && batch->vectors && batch->controls && batch->received) return batch;
    creactor_batch_free(batch);
    return NULL;
}

void creactor_batch_free(struct creactor_batch *batch) {
    if (!batch) return;
    free(batch->slots);
    free(batch->messages);
    free(batch->vectors);
    free(batch->controls);
    free(batch->received);
    free(batch);
}

static void read_control(struct msghdr *message, struct creactor_received *out) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof size);
            out->segment = size > 0 ? (uint32_t)size : 0;
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            out->route = (struct creactor_route){.family = AF_INET,
                                                 .interface = (uint32_t)info.ipi_ifindex,
                                                 .destination = {info.ipi_addr.s_addr},
                                                 .source = {info.ipi_spec_dst.s_addr}};
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO && out->route.family == 0) {
            // For an IPv4 datagram on a socket of both families, IP_PKTINFO says more.
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            out->route.family = AF_INET6;
            out->route.interface = info.ipi6_ifindex;
            memcpy(out->route.destination, &info.ipi6_addr, 16);
            if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) memcpy(out->route.source, &info.ipi6_addr, 16);
        }
    }
}

int creactor_batch_receive(struct creactor_batch *batch, int fd, int count, void *names, size_t stride, int is_unix) {
    if (count > batch->count) count = batch->count;
    for (int i = 0; i < count; i++) {
        batch->vectors[i] = (struct iovec){batch->slots + (size_t)i * batch->stride, batch->slot};
        batch->messages[i].msg_hdr = (struct msghdr){.msg_name = (char *)names + (size_t)i * stride,
                                                     .msg_namelen = sizeof(struct sockaddr_storage),
                                                     .msg_iov = &batch->vectors[i],
                                                     .msg_iovlen = 1,
                                                     .msg_control = is_unix ? NULL : &batch->controls[i],
                                                     .msg_controllen = is_unix ? 0 : CONTROL};
    }
    int got = recvmmsg(fd, batch->messages, (unsigned)count, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (got < 0) return -errno;
    for (int i = 0; i < got; i++) {
        struct creactor_received *out = &batch->received[i];
        struct mmsghdr *message = &batch->messages[i];
        memset(out, 0, sizeof *out);
        out->payload = batch->vectors[i].iov_base;
        out->full_length = message->msg_len;
        out->length = message->msg_len < batch->slot ? message->msg_len : (uint32_t)batch->slot;
        out->name_length = message->msg_hdr.msg_namelen;
        // The kernel counts a NUL behind a path that fills sun_path (unix(7)), and would not take such a length back.
        if (out->name_length > sizeof(struct sockaddr_un)) out->name_length = sizeof(struct sockaddr_un);
        // Without a name nothing is written, and the slot still has that of an earlier datagram.
        if (out->name_length == 0) ((struct sockaddr *)message->msg_hdr.msg_name)->sa_family = AF_UNSPEC;
        if (message->msg_hdr.msg_controllen > 0) read_control(&message->msg_hdr, out);
    }
    return got;
}

const struct creactor_received *creactor_batch_received(const struct creactor_batch *batch, int index) {
    return &batch->received[index];
}

static void add_control(struct msghdr *message, union control *control, int level, int type, const void *data,
                        size_t size) {
    message->msg_control = control;
    struct cmsghdr *c = (struct cmsghdr *)(control->bytes + message->msg_controllen);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), data, size);
    message->msg_controllen += CMSG_SPACE(size);
}

void creactor_batch_put(struct creactor_batch *batch, int index, const void *name, uint32_t name_length,
                        const void *payload, size_t length, uint32_t segment, const struct creactor_route *route) {
    batch->vectors[index] = (struct iovec){(void *)payload, length};
    struct msghdr *message = &batch->messages[index].msg_hdr;
    *message = (struct msghdr){.msg_name = name_length ? (void *)name : NULL,
                               .msg_namelen = name_length,
                               .msg_iov = &batch->vectors[index],
                               .msg_iovlen = 1};
    union control *control = &batch->controls[index];
    if (route->family == AF_INET && route->source[0]) {
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = (in_addr_t)route->source[0]};
        add_control(message, control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else if (route->family == AF_INET6 && (route->source[0] | route->source[1])) {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, route->source, 16);
        // A link-local address means nothing without its link.
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = route->interface;
        add_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
    if (segment) {
        uint16_t size = (uint16_t)segment;
        add_control(message, control, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
    }
}

int creactor_batch_send(struct creactor_batch *batch, int fd, int count) {
    int sent = sendmmsg(fd, batch->messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

int creactor_socket_error_take(int fd, struct creactor_socket_error *error, void *name, void *offender) {
    char control[512] __attribute__((aligned(16)));
    char payload[1];
    struct iovec vector = {payload, sizeof payload};
    struct msghdr message = {.msg_name = name,
                             .msg_namelen = sizeof(struct sockaddr_storage),
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
    memset(error, 0, sizeof *error);
    error->name_length = message.msg_namelen;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        int v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        int v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6) continue;
        const struct sock_extended_err *said = (const void *)CMSG_DATA(c);
        error->code = said->ee_errno;
        error->origin = said->ee_origin;
        error->icmp_type = said->ee_type;
        error->icmp_code = said->ee_code;
        error->info = said->ee_info;
        const struct sockaddr *from = SO_EE_OFFENDER(said);
        if (from->sa_family == AF_INET) error->offender_length = sizeof(struct sockaddr_in);
        if (from->sa_family == AF_INET6) error->offender_length = sizeof(struct sockaddr_in6);
        memcpy(offender, from, error->offender_length);
    }
    return 1;
}

int creactor_multicast_join(int fd, uint32_t family, const uint64_t *group, uint32_t interface, int join) {
    int result;
    if (family == AF_INET) {
        struct ip_mreqn request = {.imr_ifindex = (int)interface};
        memcpy(&request.imr_multiaddr, group, 4);
        result = setsockopt(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request, sizeof request);
    } else {
        struct ipv6_mreq request = {.ipv6mr_interface = interface};
        memcpy(&request.ipv6mr_multiaddr, group, 16);
        result = setsockopt(fd, IPPROTO_IPV6, join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, &request, sizeof request);
    }
    return result < 0 ? -errno : 0;
}

int creactor_multicast_interface(int fd, uint32_t family, uint32_t interface) {
    int result;
    if (family == AF_INET) {
        struct ip_mreqn request = {.imr_ifindex = (int)interface};
        result = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request);
    } else {
        int number = (int)interface;
        result = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &number, sizeof number);
    }
    return result < 0 ? -errno : 0;
}

uint32_t creactor_socket_drops(int fd) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) < 0) return 0;
    return info[SK_MEMINFO_DROPS];
}
