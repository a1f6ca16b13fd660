"""What a core would do with a network, without simulating: cycles, area, and whether it fits.

devices   what FPGAs have
area      what a core takes of one
clocks    how fast it has been seen to run
models    the layers of a network
planner   a network on many cores
"""
