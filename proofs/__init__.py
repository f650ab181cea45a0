"""What is proven of the compiler, for all inputs: `python -m proofs` (or `make prove`).

Tests show that something holds for the inputs that they try. What stands here is shown by solvers
to hold for every input, within the bounds that the printed table states.
"""
