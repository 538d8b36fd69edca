from pathlib import Path

from django.db import migrations

import licensing.permissions
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0013_reservation_asked_from")]
    operations = [sql_file(Path(licensing.permissions.__file__).with_name("moments.sql"))]
