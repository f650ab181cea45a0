"""Translation validation: a module answers after every pass as it did before."""
