"""Recipes (JSON), and their reader."""
