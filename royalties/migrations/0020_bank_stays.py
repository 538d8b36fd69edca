"""What a bank said stays, and each table says so in the same words."""

from pathlib import Path

from django.db import migrations

import royalties.bank
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("royalties", "0019_payouts_without_policy")]
    operations = [sql_file(Path(royalties.bank.__file__).with_name("staying.sql"))]
