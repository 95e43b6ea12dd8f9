"""Folders of training runs: configuration, checkpoints, history, figures."""
