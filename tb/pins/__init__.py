"""AXI4-Stream and AXI4-Lite at the pins, a beat at a time, for tests that need the pins."""
