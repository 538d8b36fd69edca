"""The kinds of account that money takes from the bank to the people it is for."""

from django.db import migrations

# The chart only grows; going back leaves the rows.
KINDS = """
    INSERT INTO ledger_kind (kind, floor, named) VALUES
      ('unapplied', 1, false), ('exchange', 0, false), ('charges', -1, false), ('advance', -1, false), ('sister', 1, false),
      ('tax', 1, true), ('paying', 1, false), ('undistributable', 1, false)
    ON CONFLICT DO NOTHING"""


class Migration(migrations.Migration):
    dependencies = [("royalties", "0008_amended_declarations")]
    operations = [migrations.RunSQL(KINDS, migrations.RunSQL.noop)]
