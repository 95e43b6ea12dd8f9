"""The network of a recipe, its weights and its split in two."""
