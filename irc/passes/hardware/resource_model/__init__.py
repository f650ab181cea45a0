"""What units take of a device: features of their structure, times coefficients of its family.

`features` says what a unit is made of, `memories` where its memories land, `coefficients.json` what
a family's synthesis makes of each, fitted by `benchmarks/calibrate.py`, and `estimate` adds up.
"""
