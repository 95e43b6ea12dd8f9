"""The training loop: batches, objective, optimiser, stages."""
