// A connection whose protocol is a function: bytes in, answers gathered, one write a read. One read buffer and one output
// buffer for the process, one small struct a connection.
#ifndef FLOOR_STREAM_H
#define FLOOR_STREAM_H

#include "floor.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct stream {
    ev_io io;
    bool close_after;          // the connection ends once its output is written
    uint32_t tail_length;      // bytes that were not consumed
    uint32_t output_start;
    uint32_t output_length;    // beyond its start
    char *tail;
    char *output;              // what a short write left; nothing is read meanwhile
};

struct protocol {
    size_t connection_size;    // of a struct that begins with a struct stream, zero at first
    // Answers what is whole of `length` bytes, until there is no room for more. Returns how many bytes are done with.
    size_t (*consume)(struct stream *stream, const char *bytes, size_t length);
    // What is said before anything is read; NULL for nothing.
    const char *greeting;
};

enum { max_tail = 8 * 1024 };    // whoever leaves more unconsumed must refuse it, and consume it

enum { max_refusal = 256 };      // for which there is always room, once

// Whether `length` more bytes can be gathered. If not, consume() returns, and is called again with what it left.
bool has_room(size_t length);
// Adds bytes to the output.
void gather(const char *bytes, size_t length);
// The same for bytes that don't move, which are sent from where they lie if nothing was gathered before them.
void gather_lasting(const char *bytes, size_t length);

// Where a response has its date, written anew when the second has changed.
enum { date_length = 29 };
// Returns the text of Date if it has changed since the last call, or else NULL.
const char *new_date(time_t now);

void serve_streams(struct ev_loop *loop, int *port, const struct protocol *protocol);

#endif
