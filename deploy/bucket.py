"""Makes a bucket and gives it lifecycle rules: `python bucket.py BUCKET [LIFECYCLE.json]`. Promises to be harmless twice; asks S3 by boto3's usual chain, and knows no farm."""

import json
import sys
from pathlib import Path

import boto3
from botocore.exceptions import ClientError


def main(bucket: str, rules: str | None = None) -> None:
    """The bucket is there, with these rules and no others where a file of them is given."""
    client = boto3.client("s3")
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        region = client.meta.region_name
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=bucket, **where)
    if rules:
        wanted = json.loads(Path(rules).read_text())
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])
