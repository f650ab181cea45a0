"""The hardware between a core's streams and a few wires of a board, as modules of the hw level."""
