"""Amended declarations: what took their place weighs; what a correction takes back; and who owes something back."""

from pathlib import Path

from django.db import migrations

import royalties.billing
import royalties.distribution
from accounts.identity.sql import sql_file

# The chart only grows; going back leaves the row.
KIND = "INSERT INTO ledger_kind (kind, floor) VALUES ('recoverable', -1) ON CONFLICT DO NOTHING"


class Migration(migrations.Migration):
    dependencies = [("royalties", "0007_releases_and_corrections")]
    operations = [
        sql_file(Path(royalties.billing.__file__).with_name("chains.sql")),
        sql_file(Path(royalties.distribution.__file__).with_name("corrections.sql")),
        migrations.RunSQL(KIND, migrations.RunSQL.noop),
    ]
