"""The types of loan events there are fit the new constraint: read once, under no hard lock."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("loans", "0011_margin_notices")]

    operations = [ValidateConstraint("loanevent", "a_loan_event_has_a_known_type")]
