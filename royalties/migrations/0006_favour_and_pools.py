"""Where a licensee's favour is kept in the ledger, and whose uses weigh in which pool."""

from pathlib import Path

from django.db import migrations

import royalties.billing
from accounts.identity.sql import sql_file

# The chart only grows; going back leaves the two rows.
KINDS = "INSERT INTO ledger_kind (kind, floor) VALUES ('favour', 1), ('credited', -1) ON CONFLICT DO NOTHING"
WEIGHED = """
    INSERT INTO royalties_runpooldeclaration (pool_id, declaration_id)
    SELECT p.id, b.declaration_id FROM royalties_runpool p
    JOIN royalties_invoicedeclaration b ON b.invoice_id = p.invoice_id"""


class Migration(migrations.Migration):
    dependencies = [("royalties", "0005_estimates_and_credit_notes")]
    operations = [
        sql_file(Path(royalties.billing.__file__).with_name("billing.sql")),
        migrations.RunSQL(KINDS, migrations.RunSQL.noop),
        migrations.RunSQL(WEIGHED, migrations.RunSQL.noop),
    ]
