from pathlib import Path

from django.db import migrations

import licensing.declarations
import licensing.permissions
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0003_tariffs")]
    operations = [
        sql_file(Path(licensing.declarations.__file__).with_name("declared_use.sql")),
        sql_file(Path(licensing.permissions.__file__).with_name("revisions.sql")),
    ]
