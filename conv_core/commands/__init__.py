"""The command line: `python -m conv_core`, which the Makefile calls."""
