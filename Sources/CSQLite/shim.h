#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast that Swift cannot import: "copy the bytes before returning".
static inline int csqlite_bind_text(sqlite3_stmt *s, int i, const char *text, int count) {
    return sqlite3_bind_text(s, i, text, count, SQLITE_TRANSIENT);
}
static inline int csqlite_bind_blob(sqlite3_stmt *s, int i, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(s, i, bytes, count, SQLITE_TRANSIENT);
}

#endif
