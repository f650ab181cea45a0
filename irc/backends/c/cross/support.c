/* Ends of the program that an emulator watches; nothing here is counted. */

#include "irc_profile.h"
#include "stdio.h"
#include "string.h"

int printf(const char *format, ...)
{
    (void)format;
    return 0;
}

void irc_layer_done(unsigned layer)
{
    (void)layer;
}

#if defined(__GNUC__) && !defined(__clang__)

/* Compilers call these of their own accord, and GCC brings none. The attribute keeps it from
   finding its own pattern in them. */
#define IRC_PLAIN __attribute__((weak, optimize("no-tree-loop-distribute-patterns")))

IRC_PLAIN void *memset(void *to, int value, size_t size)
{
    unsigned char *at = to;
    while (size-- > 0) {
        *at++ = (unsigned char)value;
    }
    return to;
}

IRC_PLAIN void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *at = to;
    const unsigned char *source = from;
    while (size-- > 0) {
        *at++ = *source++;
    }
    return to;
}

#endif
