"""Results of a clip: row, columns, segments, tallies, agreement of tables."""
