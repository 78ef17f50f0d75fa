"""The look "colorize": the network, its look, and the courses that teach it. Promises nothing of its own."""
