"""What is right and how long it takes: the core's reference models. Knows nothing of cocotb."""
