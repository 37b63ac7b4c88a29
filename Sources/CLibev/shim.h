// libev's watchers are set up by macros that Swift cannot import; each is given a function here, and nothing more.
#ifndef CLIBEV_SHIM_H
#define CLIBEV_SHIM_H

#include <ev.h>

typedef void (*clibev_io_cb)(struct ev_loop *, ev_io *, int);
typedef void (*clibev_timer_cb)(struct ev_loop *, ev_timer *, int);
typedef void (*clibev_signal_cb)(struct ev_loop *, ev_signal *, int);
typedef void (*clibev_check_cb)(struct ev_loop *, ev_check *, int);
typedef void (*clibev_prepare_cb)(struct ev_loop *, ev_prepare *, int);

// One allocation holds the two watchers that a connection needs.
struct clibev_connection {
    ev_io io;
    ev_timer timer;
};

static inline void clibev_io_init(ev_io *w, clibev_io_cb cb, int fd, int events) { ev_io_init(w, cb, fd, events); }
static inline void clibev_io_modify(ev_io *w, int events) { ev_io_modify(w, events); }
static inline void clibev_timer_init(ev_timer *w, clibev_timer_cb cb, double after, double repeat) {
    ev_timer_init(w, cb, after, repeat);
}
static inline void clibev_timer_set(ev_timer *w, double after, double repeat) { ev_timer_set(w, after, repeat); }
static inline void clibev_signal_init(ev_signal *w, clibev_signal_cb cb, int signo) { ev_signal_init(w, cb, signo); }
static inline void clibev_check_init(ev_check *w, clibev_check_cb cb) { ev_check_init(w, cb); }
static inline void clibev_prepare_init(ev_prepare *w, clibev_prepare_cb cb) { ev_prepare_init(w, cb); }

static inline int clibev_is_active(const void *w) { return ev_is_active((ev_watcher *)w); }
static inline void clibev_set_priority(void *w, int priority) { ev_set_priority((ev_watcher *)w, priority); }

static const int clibev_read = EV_READ;
static const int clibev_write = EV_WRITE;
static const int clibev_highest_priority = EV_MAXPRI;
static const unsigned int clibev_flag_noenv = EVFLAG_NOENV;
static const unsigned int clibev_backend_select = EVBACKEND_SELECT;
static const unsigned int clibev_backend_poll = EVBACKEND_POLL;
static const unsigned int clibev_backend_epoll = EVBACKEND_EPOLL;
static const unsigned int clibev_backend_linuxaio = EVBACKEND_LINUXAIO;
static const unsigned int clibev_backend_iouring = EVBACKEND_IOURING;

#endif
