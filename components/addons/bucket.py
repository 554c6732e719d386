"""The S3 bucket that backups go to. The spec says which; how to reach it and who may, the stack's own config says."""

from __future__ import annotations

from components.plan import Ref

ENDPOINT, REGION = Ref("backup:endpoint", secret=False), Ref("backup:region", secret=False)
"""URL of the S3 service and its region, for example https://s3.eu-central-1.amazonaws.com and eu-central-1."""
ACCESS_KEY, SECRET_KEY = Ref("backup:accessKey"), Ref("backup:secretKey")


def split(url: str) -> tuple[str, str]:
    """Bucket and prefix of an s3:// URL; the prefix may be empty."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket, prefix.strip("/")


def owner(cluster: str) -> str:
    """Name of one running cluster, for Template: the stacks of a spec all have the same bucket, and must not remove or
    read in each other's backups."""
    return f"{cluster}-{{endpoint}}"


def interval(seconds: int) -> str:
    """A schedule of fixed intervals, whatever their length.

    CronJobs and Velero both read schedules with robfig/cron, which takes it [documented]
    https://pkg.go.dev/github.com/robfig/cron/v3#hdr-Intervals
    """
    return f"@every {seconds}s"
