from pathlib import Path

from django.db import migrations

import royalties.ledger
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [sql_file(Path(royalties.ledger.__file__).with_name("ledger.sql"))]
