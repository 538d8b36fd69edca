"""Where kept files lie: a folder, or with `OBJECT_STORAGE=s3` a bucket of S3 or its like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


def objects(env: environ.Env, folder: Path) -> dict[str, Any]:
    """The storage `objects`, from the environment. Credentials never stand here: boto3 finds them by itself.

    `OBJECT_BUCKET` and, for other than Amazon's, `OBJECT_ENDPOINT`; `OBJECT_REGION`, `OBJECT_PREFIX` (a folder in the
    bucket), `OBJECT_ADDRESSING=path` for servers without a name for each bucket.
    """
    kind = env.str("OBJECT_STORAGE", default="folder")
    if kind == "folder":
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    if kind != "s3":
        raise ImproperlyConfigured(f"OBJECT_STORAGE={kind} is unknown: use folder or s3.")
    bucket = env.str("OBJECT_BUCKET", default="")
    if not bucket:
        raise ImproperlyConfigured("OBJECT_STORAGE=s3 needs OBJECT_BUCKET, the name of the bucket.")
    options: dict[str, Any] = {
        "bucket_name": bucket,
        "endpoint_url": env.str("OBJECT_ENDPOINT", default="") or None,
        "region_name": env.str("OBJECT_REGION", default="") or None,
        "location": env.str("OBJECT_PREFIX", default=""),
        "addressing_style": env.str("OBJECT_ADDRESSING", default="auto"),
        "file_overwrite": True,  # bytes under a digest are always the same, and a part is written again after a crash
        "default_acl": None,
    }
    return {"BACKEND": "licensing.intake.bucket.Bucket", "OPTIONS": options}
