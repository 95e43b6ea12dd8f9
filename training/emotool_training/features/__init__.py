"""Features of clips for training, computed once and kept."""
