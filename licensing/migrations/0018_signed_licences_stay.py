from pathlib import Path

from django.db import migrations

import licensing.licences
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0017_rates_and_licences_stay")]
    operations = [sql_file(Path(licensing.licences.__file__).with_name("signed.sql"))]
