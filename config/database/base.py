"""`ENGINE: config.database` with `EMBEDDED: <var folder>`; `HOST` is that server's socket folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base
from django.db.utils import OperationalError

from config import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's own, but a connection first makes sure that the server of its var folder runs."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            conn_params["host"] = str(embedded.ensure_postgres(Path(self.settings_dict["EMBEDDED"])))
        except embedded.ServiceError as error:
            raise OperationalError(str(error)) from error
        return super().get_new_connection(conn_params)
