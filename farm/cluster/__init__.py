"""Ray itself: started on this machine or joined, watched by a heartbeat, and kept off the terminal."""
