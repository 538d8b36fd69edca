"""Money that moves a second time: out of suspense once an identifier means a work, and divided anew by amended declarations."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import royalties.distribution
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('licensing', '0026_rules_and_titles'),
        ('royalties', '0006_favour_and_pools'),
    ]

    operations = [
        migrations.CreateModel(
            name='RunCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.BigIntegerField()),
                ('active', models.BooleanField(default=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RunRelease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.BigIntegerField()),
                ('active', models.BooleanField(default=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='runpool',
            name='run_takes_an_invoice_once',
        ),
        migrations.AddField(
            model_name='run',
            name='corrected',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='run',
            name='released',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='runpool',
            name='kind',
            field=models.CharField(choices=[('receipts', 'money received'), ('release', 'released from suspense'), ('correction', 'correction of an earlier distribution')], db_default='receipts', default='receipts', max_length=10),
        ),
        migrations.AddField(
            model_name='runpool',
            name='origin',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.runpool'),
        ),
        migrations.AlterField(
            model_name='allocation',
            name='reason',
            field=models.CharField(blank=True, choices=[('', ''), ('unmatched', 'the identifier matches no work yet'), ('no_share', 'no holder is recorded for this part'), ('overclaimed', 'the shares claim more than the whole work'), ('disputed', 'the share is disputed'), ('reserved', 'its use was reserved on that day'), ('unmandated', 'not every holder had given a mandate on that day'), ('unlicensed', 'the licence does not cover the work that it is'), ('free', 'the work was in the public domain on that day'), ('individual', 'its holders had licensed it directly')], max_length=12),
        ),
        migrations.AddConstraint(
            model_name='runpool',
            constraint=models.UniqueConstraint(fields=('run', 'kind', 'invoice', 'origin'), name='run_takes_an_invoice_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='runpool',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'receipts'), ('origin', None)), models.Q(models.Q(('kind', 'receipts'), _negated=True), ('origin__isnull', False)), _connector='OR'), name='run_pool_without_new_money_names_its_origin'),
        ),
        migrations.AddField(
            model_name='runcorrection',
            name='corrected',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.runpool'),
        ),
        migrations.AddField(
            model_name='runcorrection',
            name='pool',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='correction', to='royalties.runpool'),
        ),
        migrations.AddField(
            model_name='runrelease',
            name='allocation',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.allocation'),
        ),
        migrations.AddField(
            model_name='runrelease',
            name='pool',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='royalties.runpool'),
        ),
        migrations.AddConstraint(
            model_name='runcorrection',
            constraint=models.UniqueConstraint(condition=models.Q(('active', True)), fields=('corrected',), name='pool_is_corrected_once'),
        ),
        migrations.AddConstraint(
            model_name='runcorrection',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='correction_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='runrelease',
            constraint=models.UniqueConstraint(condition=models.Q(('active', True)), fields=('allocation',), name='suspense_is_released_once'),
        ),
        migrations.AddConstraint(
            model_name='runrelease',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='release_is_positive'),
        ),
        sql_file(Path(royalties.distribution.__file__).with_name('releases.sql')),
    ]
