"""Boards as data, and what they need around a core: PLL, constraints, top module, host program."""
