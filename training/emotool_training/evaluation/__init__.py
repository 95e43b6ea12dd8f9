"""Measure models: figures, intervals, calibration, plots."""
