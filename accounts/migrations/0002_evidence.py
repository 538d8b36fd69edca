from pathlib import Path

from django.db import migrations

import accounts.evidence
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [sql_file(Path(accounts.evidence.__file__).with_name("evidence.sql"))]
