"""Tests of `emotool_training.adapting`."""
