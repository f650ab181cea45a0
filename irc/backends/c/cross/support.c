/* Ends of the program that an emulator watches; nothing here is counted. */

#include "irc_profile.h"
#include "stdio.h"

int printf(const char *format, ...)
{
    (void)format;
    return 0;
}

void irc_layer_done(unsigned layer)
{
    (void)layer;
}
