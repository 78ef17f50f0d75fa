"""The names in an output: which job may write them, and how a verified file gets one."""
