"""How to drive and watch a convolution core. Knows `models`, not `tests`."""
