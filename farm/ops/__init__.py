"""Jobs on a cluster: submitted, watched, listed, and cleaned up."""
