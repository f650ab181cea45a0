/* Comes before every file of a profiled program: each layer reports its end. */

#ifndef IRC_PROFILE_H
#define IRC_PROFILE_H

void irc_layer_done(unsigned layer);

#endif
