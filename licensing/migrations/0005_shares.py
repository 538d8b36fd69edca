from pathlib import Path

from django.db import migrations

import licensing.repertoire
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0004_declared_use")]
    operations = [sql_file(Path(licensing.repertoire.__file__).with_name("shares.sql"))]
