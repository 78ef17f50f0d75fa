"""Orchestration of the render farm on Ray: drivers, worker pools, scheduling, progress and the command line."""

import os

# Ray reads its mode of authentication once, when it is imported, and the processes it starts read it again: they must agree.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# What the driver tells its workers of stores is added to what a job was submitted with (farm/cluster/store_settings.py).
os.environ.setdefault("RAY_OVERRIDE_JOB_RUNTIME_ENV", "1")
