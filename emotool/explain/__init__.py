"""Evidence for a label, and its figure."""
