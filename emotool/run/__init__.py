"""One run: options, pipeline, batched inference, journal, outputs."""
