"""Whole jobs: compile a model, verify it at every level, run it, check what it needs."""
