"""What goes in: random layers, scenarios, stall profiles, recorded traffic, and smaller ones."""
