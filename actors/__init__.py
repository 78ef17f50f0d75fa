"""WHO: plain classes that work on pixels and packets. Promises to be testable by calling them; knows no Ray, no boto3, no metrics."""
