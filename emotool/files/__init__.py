"""Files: atomic writes, locks, strict JSON, regular files and archive members; object storage."""
