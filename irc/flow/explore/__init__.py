"""What `irc explore` shows: a network at every level, after every pass, down to both machines."""
