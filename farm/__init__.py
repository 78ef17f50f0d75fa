"""WHOM AND WHEN: driver, fleet, board, command line. Promises to finish what the paper says; touches no pixel itself."""
