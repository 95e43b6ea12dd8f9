"""What is known of a clip: its row, columns, segments, tallies, agreement of tables."""
