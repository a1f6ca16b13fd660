"""How to drive and watch a convolution core, in folders by role. Knows `models`, not `tests`."""
