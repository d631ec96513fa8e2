"""What both stages are: batches, rows, positions, time, and what is written."""
