"""Runs, seen from outside the simulator: builds, simulators, jobs, waves, exploration."""
