"""Making failing IR small: what `irc-reduce` does."""
