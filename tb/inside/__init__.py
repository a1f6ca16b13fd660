"""What runs inside the simulator's process: the session that plays layers, and the explorer."""
