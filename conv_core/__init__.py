"""A convolution core in Verilog, its models, and the environment around it."""
