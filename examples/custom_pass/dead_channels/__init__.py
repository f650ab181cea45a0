"""A pass for irc in a package of its own: copy it, rename it, and write yours."""
