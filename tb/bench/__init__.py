"""The bench around a core: its Verilog, Python's side of it, and what it asks of a driver."""
