"""Input clips: search, lists of paths, manifests, identity of files."""
