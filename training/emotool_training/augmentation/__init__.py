"""Augmented copies of clips, spectrograms and windows."""
