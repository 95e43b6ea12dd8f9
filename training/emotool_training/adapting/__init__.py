"""Adapt a model to recordings: statistics, a linear head and a temperature, without TensorFlow."""
