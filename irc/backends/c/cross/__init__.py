"""Cross-compiling generated C for small cores, and running it on emulated ones."""
