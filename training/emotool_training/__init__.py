"""What makes the models: corpora, splits, architectures, training, evaluation and export."""

import emotool  # noqa: F401 - switches off the telemetry of what is imported from here on
