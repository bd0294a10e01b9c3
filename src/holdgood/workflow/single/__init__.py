"""One row at a time, compiled from a bundle: the same verdict, reason and score as the road of tables, without a table."""
