"""Jobs on a cluster: submitted, watched, listed, cleared away."""
