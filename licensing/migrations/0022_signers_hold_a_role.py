from pathlib import Path

from django.db import migrations

import licensing.licences
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0021_procedure_stays"), ("accounts", "0003_webhooks")]
    operations = [sql_file(Path(licensing.licences.__file__).with_name("signers.sql"))]
