"""Safe use of the file system: atomic writes, destinations, locks, opening, zip members."""
