"""Whole quantised networks: read, checked, and computed operator by operator."""
