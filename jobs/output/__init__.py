"""The names in an output: which job may write them, and how what is verified gets one."""
