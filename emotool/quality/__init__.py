"""Measures and flags of a recording."""
