"""What makes the models: corpora, splits, architectures, training, evaluation and export."""
