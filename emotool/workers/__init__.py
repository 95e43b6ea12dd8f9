"""Worker processes that read clips, and the protocol to them."""
