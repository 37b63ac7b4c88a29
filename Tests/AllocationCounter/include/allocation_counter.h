#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/// How often the calling thread has allocated memory since it began; -1 where a sanitizer has malloc(3) to itself.
long allocation_count(void);

#endif
