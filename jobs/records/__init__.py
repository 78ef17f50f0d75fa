"""What is asked of a worker, and the records that it was done."""
