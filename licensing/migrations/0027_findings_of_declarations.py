
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('licensing', '0026_rules_and_titles'),
    ]

    operations = [
        migrations.CreateModel(
            name='Difference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('works_added', models.BigIntegerField()),
                ('works_removed', models.BigIntegerField()),
                ('works_changed', models.BigIntegerField()),
                ('rows', models.BigIntegerField()),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('declaration', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='difference', to='licensing.declaration')),
                ('old', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.declaration')),
            ],
        ),
        migrations.CreateModel(
            name='Overlap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('works', models.BigIntegerField()),
                ('rows', models.BigIntegerField()),
                ('lines', models.BigIntegerField()),
                ('units', models.JSONField(default=dict)),
                ('part', models.DecimalField(decimal_places=6, max_digits=7)),
                ('found_at', models.DateTimeField(auto_now_add=True)),
                ('declaration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overlaps', to='licensing.declaration')),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.declaration')),
            ],
        ),
        migrations.CreateModel(
            name='OverlapRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('other_units', models.DecimalField(decimal_places=0, max_digits=38)),
                ('overlap', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='shared', to='licensing.overlap')),
                ('use', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='licensing.declareduse')),
            ],
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=24)),
                ('about', models.CharField(blank=True, max_length=200)),
                ('severity', models.CharField(choices=[('note', 'to note'), ('serious', 'holds back acceptance')], max_length=7)),
                ('detail', models.CharField(max_length=2000)),
                ('status', models.CharField(choices=[('open', 'open'), ('answered', 'answered'), ('settled', 'settled')], default='open', max_length=8)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('asked_by', models.CharField(blank=True, max_length=200)),
                ('answer', models.CharField(blank=True, max_length=2000)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.CharField(blank=True, max_length=200)),
                ('settlement', models.CharField(blank=True, max_length=1000)),
                ('settled_at', models.DateTimeField(null=True)),
                ('settled_by', models.CharField(blank=True, max_length=200)),
                ('declaration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='asked', to='licensing.declaration')),
            ],
        ),
        migrations.CreateModel(
            name='UseSum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=10)),
                ('matched', models.BooleanField()),
                ('use', models.CharField(max_length=12)),
                ('kind', models.CharField(max_length=12)),
                ('unit', models.CharField(max_length=12)),
                ('rows', models.BigIntegerField()),
                ('lines', models.BigIntegerField()),
                ('units', models.DecimalField(decimal_places=0, max_digits=38)),
                ('large_rows', models.BigIntegerField()),
                ('round_rows', models.BigIntegerField()),
                ('least', models.DecimalField(decimal_places=0, max_digits=38)),
                ('most', models.DecimalField(decimal_places=0, max_digits=38)),
                ('declaration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sums', to='licensing.declaration')),
            ],
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('change', models.CharField(choices=[('added', 'added'), ('removed', 'removed'), ('changed', 'changed')], max_length=7)),
                ('scheme', models.CharField(blank=True, max_length=12)),
                ('value', models.CharField(blank=True, max_length=2048)),
                ('kind', models.CharField(max_length=12)),
                ('use', models.CharField(max_length=12)),
                ('unit', models.CharField(max_length=12)),
                ('used_on', models.DateField()),
                ('status', models.CharField(max_length=10)),
                ('basis', models.CharField(blank=True, max_length=12)),
                ('units_before', models.DecimalField(decimal_places=0, max_digits=38)),
                ('units_after', models.DecimalField(decimal_places=0, max_digits=38)),
                ('lines_before', models.BigIntegerField()),
                ('lines_after', models.BigIntegerField()),
                ('declaration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='licensing.declaration')),
                ('work', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.work')),
            ],
            options={
                'indexes': [models.Index(fields=['declaration', 'id'], name='change_in_order'), models.Index(fields=['declaration', 'change', 'status', 'id'], name='change_by_kind')],
                'constraints': [models.CheckConstraint(condition=models.Q(('lines_before', models.F('lines_after')), ('units_before', models.F('units_after')), _negated=True), name='change_changes_something')],
            },
        ),
        migrations.CreateModel(
            name='HostSum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unit', models.CharField(max_length=12)),
                ('position', models.IntegerField()),
                ('host', models.CharField(max_length=2048)),
                ('rows', models.BigIntegerField()),
                ('units', models.DecimalField(decimal_places=0, max_digits=38)),
                ('declaration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hosts', to='licensing.declaration')),
                ('work', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.work')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('declaration', 'unit', 'position'), name='host_sum_has_its_place')],
            },
        ),
        migrations.AddConstraint(
            model_name='overlap',
            constraint=models.UniqueConstraint(fields=('declaration', 'other'), name='overlap_is_found_once'),
        ),
        migrations.AddConstraint(
            model_name='overlaprow',
            constraint=models.UniqueConstraint(fields=('overlap', 'use'), name='overlap_names_a_row_once'),
        ),
        migrations.AddIndex(
            model_name='question',
            index=models.Index(fields=['declaration', 'id'], name='question_by_declaration'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.UniqueConstraint(condition=models.Q(('asked_by', '')), fields=('declaration', 'code', 'about'), name='check_asks_a_question_once'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'answered'), _negated=True), ('answered_at__isnull', False), _connector='OR'), name='answer_is_given_at_a_moment'),
        ),
        migrations.AddConstraint(
            model_name='question',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'settled'), _negated=True), ('settled_at__isnull', False), _connector='OR'), name='question_is_settled_at_a_moment'),
        ),
        migrations.AddConstraint(
            model_name='usesum',
            constraint=models.UniqueConstraint(fields=('declaration', 'status', 'matched', 'use', 'kind', 'unit'), name='use_sum_is_one_row'),
        ),
    ]
