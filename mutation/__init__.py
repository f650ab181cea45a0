"""Mutation testing of what matters most: `python -m mutation` (or `make mutate`).

Small mistakes are put into chosen functions, one at a time, and the tests of these are to notice
each. What they don't notice is listed.
"""
