from pathlib import Path

from django.db import migrations

import licensing.licences
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0019_rate_setting_is_kept")]
    operations = [sql_file(Path(licensing.licences.__file__).with_name("standing.sql"))]
