"""What xDSL and irc-opt discover through the entry point group `xdsl.universe`."""

from xdsl.universe import Universe

IRC_UNIVERSE = Universe()
