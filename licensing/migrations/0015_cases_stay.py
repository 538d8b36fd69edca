from pathlib import Path

from django.db import migrations

import licensing.compliance
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0014_reservation_moments")]
    operations = [sql_file(Path(licensing.compliance.__file__).with_name("cases.sql"))]
