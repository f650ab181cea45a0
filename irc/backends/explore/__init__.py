"""The page of `irc explore`: a graph laid out, and everything in one HTML file."""
