from pathlib import Path

from django.db import migrations

import royalties.distribution
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("royalties", "0002_initial")]
    operations = [sql_file(Path(royalties.distribution.__file__).with_name("distribution.sql"))]
