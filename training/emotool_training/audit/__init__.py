"""Check the clips of corpora and report problems."""
