from pathlib import Path

from django.db import migrations

import licensing.licences
import licensing.tariffs
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0016_rates_and_licences")]
    operations = [
        sql_file(Path(licensing.tariffs.__file__).with_name("procedure.sql")),
        sql_file(Path(licensing.licences.__file__).with_name("licences.sql")),
    ]
