/* What the test programs need of the C library on a machine without one. */

#ifndef IRC_STDIO_H
#define IRC_STDIO_H

int printf(const char *format, ...);

#endif
