"""Quotes that were late, jumped or were never used are looked for: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('pricing', '0005_price_guard')]

    operations = [
        AddIndexConcurrently('pricequote', models.Index(condition=models.Q(('too_late', True), models.Q(('alone', ''), _negated=True), models.Q(('confirmed_by', ''), _negated=True), models.Q(('effective_from__isnull', True), ('evaluated_at__isnull', False)), _connector='OR'), fields=['sent_at'], name='remarkable_quotes')),
    ]
