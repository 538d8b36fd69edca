from pathlib import Path

from django.db import migrations

import licensing.tariffs
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0018_signed_licences_stay")]
    operations = [sql_file(Path(licensing.tariffs.__file__).with_name("rate_setting.sql"))]
