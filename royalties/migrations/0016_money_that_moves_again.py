"""What waits for its shares is released too; what rests on shares, works and matches of before is found and divided anew."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import royalties.distribution
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('licensing', '0033_conflicting_shares'),
        ('royalties', '0015_entitlements'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='chosen',
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='runcorrection',
            name='reasons',
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.CreateModel(
            name='HeldUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scheme', models.CharField(max_length=12)),
                ('value', models.CharField(max_length=2048)),
                ('territory', models.CharField(blank=True, max_length=2)),
                ('use', models.CharField(max_length=12)),
                ('used_on', models.DateField()),
                ('reason', models.CharField(max_length=12)),
                ('pool', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.runpool')),
                ('work', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.work')),
            ],
        ),
        migrations.CreateModel(
            name='RepertoireChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(max_length=10)),
                ('noted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('holder', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='licensing.holder')),
                ('society', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('work', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='licensing.work')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('society', 'work', 'holder', 'what'), name='repertoire_change_is_noted_once', nulls_distinct=False)],
            },
        ),
        sql_file(Path(royalties.distribution.__file__).with_name('moving.sql')),
    ]
