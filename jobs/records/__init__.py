"""What a worker is asked for, and the records that it was done."""
