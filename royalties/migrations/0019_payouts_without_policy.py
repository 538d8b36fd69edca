"""A payout may go without a policy; what it rests on is digested as a whole."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("royalties", "0018_closes_and_reports")]
    operations = [
        migrations.AlterField(
            model_name="payoutpolicy",
            name="debtor",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.bankaccount"
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="policy",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.payoutpolicy"
            ),
        ),
        migrations.RenameField(model_name="batch", old_name="terms_digest", new_name="input_digest"),
    ]
