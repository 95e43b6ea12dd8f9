"""Altered copies of clips, spectrograms and windows."""
