"""Whom a society pays and where to, in versions that stay as they were; tax law as data, with what comes along of it."""

from pathlib import Path

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.backends.postgresql.psycopg_any import DateRange

import royalties.payees
from accounts.identity.sql import sql_file
from royalties.payees.shipped import digest, shipped


def load_law(apps, schema_editor):
    """The rules that this version ships; a later change of the law comes with a migration, or by command."""
    model = apps.get_model("royalties", "TaxRule")
    for document, rule in shipped():
        model.objects.get_or_create(
            ref=rule.ref,
            version=rule.version,
            defaults={
                "jurisdiction": rule.jurisdiction,
                "applies_to": rule.applies_to,
                "valid": DateRange(rule.valid_from, rule.valid_to),
                "document": document,
                "sha256": digest(document),
            },
        )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_webhooks'),
        ('licensing', '0032_audits_by_units'),
        ('royalties', '0011_bank_statements'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Payee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now())),
                ('holder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.holder')),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='PayeeImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('sha256', models.CharField(max_length=64)),
                ('read', models.BigIntegerField(default=0)),
                ('created', models.BigIntegerField(default=0)),
                ('updated', models.BigIntegerField(default=0)),
                ('unchanged', models.BigIntegerField(default=0)),
                ('rejected', models.BigIntegerField(default=0)),
                ('rejects', models.JSONField(default=list)),
                ('screened', models.CharField(blank=True, max_length=200)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='PayeeDetails',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('residence', models.CharField(blank=True, max_length=2)),
                ('tax_status', models.CharField(blank=True, choices=[('kr_business', 'resident of Korea, as their business'), ('kr_other', 'resident of Korea, occasionally'), ('kr_organisation', 'organisation in Korea'), ('non_resident', 'outside Korea'), ('exempt', 'exempt from tax')], max_length=20)),
                ('kind', models.CharField(blank=True, choices=[('', 'no account'), ('iban', 'IBAN'), ('kr', 'Korean account'), ('other', 'account with BIC')], max_length=5)),
                ('last4', models.CharField(blank=True, max_length=4)),
                ('sealed', models.BinaryField()),
                ('key_id', models.CharField(max_length=16)),
                ('fingerprint', models.CharField(max_length=64)),
                ('by_holder', models.BooleanField(default=False)),
                ('requested_at', models.DateTimeField()),
                ('status', models.CharField(choices=[('requested', 'waiting for a second person'), ('approved', 'approved'), ('refused', 'refused'), ('withdrawn', 'replaced before it was approved'), ('objected', 'stopped by the holder')], default='requested', max_length=9)),
                ('decided_at', models.DateTimeField(null=True)),
                ('usable_from', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('decided_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('payee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='details', to='royalties.payee')),
                ('requested_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('society', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='details', to='royalties.payeeimport')),
            ],
        ),
        migrations.CreateModel(
            name='PayeeReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reader', models.CharField(max_length=200)),
                ('reason', models.CharField(max_length=200)),
                ('read_at', models.DateTimeField()),
                ('details', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='royalties.payeedetails')),
            ],
        ),
        migrations.CreateModel(
            name='PayeeTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cooling_off_days', models.PositiveSmallIntegerField()),
                ('status', models.CharField(choices=[('requested', 'waiting for a second person'), ('approved', 'in force'), ('refused', 'refused')], default='requested', max_length=9)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='SanctionsCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'to be looked at again'), ('clear', 'nothing found'), ('hit', 'on a list')], max_length=7)),
                ('source', models.CharField(max_length=200)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('checked_at', models.DateTimeField()),
                ('checked_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('details', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='checks', to='royalties.payeedetails')),
            ],
        ),
        migrations.CreateModel(
            name='TaxPaper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('treaty', 'application of a tax treaty'), ('w8ben', 'W-8BEN'), ('w8bene', 'W-8BEN-E'), ('w9', 'W-9')], max_length=6)),
                ('country', models.CharField(max_length=2)),
                ('valid', django.contrib.postgres.fields.ranges.DateRangeField()),
                ('claims_treaty', models.BooleanField(default=True)),
                ('percent', models.DecimalField(decimal_places=6, max_digits=9, null=True)),
                ('local_tax_included', models.BooleanField(default=True)),
                ('status', models.CharField(choices=[('requested', 'waiting for a second person'), ('approved', 'approved'), ('refused', 'refused'), ('revoked', 'no longer counts')], default='requested', max_length=9)),
                ('requested_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('document', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.storedfile')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='papers', to='royalties.payeeimport')),
                ('payee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='papers', to='royalties.payee')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='TaxRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField()),
                ('jurisdiction', models.CharField(max_length=2)),
                ('applies_to', models.CharField(max_length=20)),
                ('valid', django.contrib.postgres.fields.ranges.DateRangeField()),
                ('document', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('imported_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('ref', 'version'), name='tax_rule_version_is_unique')],
            },
        ),
        migrations.AddIndex(
            model_name='payee',
            index=models.Index(fields=['society', 'id'], name='payee_by_society'),
        ),
        migrations.AddConstraint(
            model_name='payee',
            constraint=models.UniqueConstraint(fields=('holder',), name='holder_is_one_payee'),
        ),
        migrations.AddConstraint(
            model_name='payee',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('holder__isnull', False), ('name', '')), models.Q(('holder', None), models.Q(('name', ''), _negated=True)), _connector='OR'), name='payee_is_a_holder_or_has_a_name'),
        ),
        migrations.AddIndex(
            model_name='payeeimport',
            index=models.Index(fields=['society', '-id'], name='payee_import_by_society'),
        ),
        migrations.AddIndex(
            model_name='payeedetails',
            index=models.Index(fields=['society', 'payee'], name='payee_details_by_society'),
        ),
        migrations.AddIndex(
            model_name='payeedetails',
            index=models.Index(condition=models.Q(('status', 'requested')), fields=['society', 'id'], name='payee_details_waiting'),
        ),
        migrations.AddIndex(
            model_name='payeedetails',
            index=models.Index(fields=['key_id'], name='payee_details_by_key'),
        ),
        migrations.AddConstraint(
            model_name='payeedetails',
            constraint=models.UniqueConstraint(fields=('payee', 'version'), name='payee_details_versions_are_numbered'),
        ),
        migrations.AddConstraint(
            model_name='payeedetails',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'requested')), fields=('payee', 'currency'), name='payee_details_wait_one_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='payeedetails',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by', None), ('requested_by', None), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='payee_details_need_a_second_person'),
        ),
        migrations.AddConstraint(
            model_name='payeedetails',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), models.Q(('decided_by__isnull', False), ('usable_from__isnull', False)), _connector='OR'), name='payee_details_are_approved_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='payeedetails',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', ''), ('last4', '')), models.Q(('kind__in', ['iban', 'kr', 'other']), models.Q(('last4', ''), _negated=True)), _connector='OR'), name='payee_account_kind_is_known'),
        ),
        migrations.AddIndex(
            model_name='payeereading',
            index=models.Index(fields=['details', '-id'], name='payee_reading_by_details'),
        ),
        migrations.AddConstraint(
            model_name='payeeterms',
            constraint=models.CheckConstraint(condition=models.Q(('cooling_off_days__lte', 60)), name='cooling_off_is_60_days_at_most'),
        ),
        migrations.AddIndex(
            model_name='sanctionscheck',
            index=models.Index(fields=['details', '-id'], name='sanctions_check_by_details'),
        ),
        migrations.AddConstraint(
            model_name='sanctionscheck',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'clear', 'hit'])), name='sanctions_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='sanctionscheck',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), _negated=True), name='sanctions_check_names_its_source'),
        ),
        migrations.AddConstraint(
            model_name='taxpaper',
            constraint=models.CheckConstraint(condition=models.Q(('percent', None), models.Q(('percent__gte', 0), ('percent__lte', 50)), _connector='OR'), name='treaty_rate_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='taxpaper',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by', None), ('requested_by', None), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='tax_paper_needs_a_second_person'),
        ),
        sql_file(Path(royalties.payees.__file__).with_name('payees.sql')),
        migrations.RunPython(load_law, migrations.RunPython.noop),
    ]
