"""Plain classes that work on pixels and packets, testable without a cluster.

Nothing here imports Ray, boto3 or Prometheus's client.
"""
