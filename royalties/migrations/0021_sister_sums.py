"""Look at the sums of statements to sister societies as they were meant to be looked at."""

from pathlib import Path

from django.db import migrations

import royalties.entitlements
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("royalties", "0020_bank_stays")]
    operations = [sql_file(Path(royalties.entitlements.__file__).with_name("sums.sql"))]
