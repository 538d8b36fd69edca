"""Cases that a distribution finds later: one a declaration, holder and run that found it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('licensing', '0033_conflicting_shares'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='case',
            name='case_is_one_a_declaration_and_holder',
        ),
        migrations.AddField(
            model_name='case',
            name='found_in',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.UniqueConstraint(fields=('declaration', 'holder', 'found_in'), name='case_is_one_a_declaration_and_holder', nulls_distinct=False),
        ),
    ]
