from pathlib import Path

from django.db import migrations

import licensing.tariffs
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0020_standing_offers_stay")]
    operations = [sql_file(Path(licensing.tariffs.__file__).with_name("kept.sql"))]
