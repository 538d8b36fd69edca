"""A bucket of S3 or its like as the storage `objects`; needs the extra `s3`."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage


class Bucket(S3Storage):
    """Reads an object as a stream: the library would first hold the whole of it in memory, and a file has gigabytes."""

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        found: Any = self.bucket.Object(self._normalize_name(name))
        try:
            return File(found.get()["Body"], name=name)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FileNotFoundError(name) from error
            raise
