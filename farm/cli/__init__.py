"""The `farm` command line, a module for each command or small group of commands."""
