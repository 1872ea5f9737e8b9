"""The bank's people of earlier releases are in one group, *Bank representatives*: it becomes *Representatives*.

It keeps its people and its permissions. Where both have people already, both stay.
"""

from django.db import migrations

OLD, NEW = 'Bank representatives', 'Representatives'


def rename(apps, schema_editor, before, after):
    groups = apps.get_model('auth', 'Group').objects.using(schema_editor.connection.alias)
    if groups.filter(name=before).exists():
        groups.filter(name=after, user=None).delete()  # made by `migrate` a moment ago
        if not groups.filter(name=after).exists():
            groups.filter(name=before).update(name=after)


def forward(apps, schema_editor):
    rename(apps, schema_editor, OLD, NEW)


def back(apps, schema_editor):
    rename(apps, schema_editor, NEW, OLD)


class Migration(migrations.Migration):

    dependencies = [
        ('desk', '0003_replays_in_part_and_guards'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [migrations.RunPython(forward, back)]
