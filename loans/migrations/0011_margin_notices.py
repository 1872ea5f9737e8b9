"""Notices before a margin call, and the event that tells of one. No row that there is gets looked at."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import coruscant.fields

_TYPES = [
    ("application", "Application"),
    ("activation", "Activation"),
    ("margin-notice", "Margin notice"),
    ("margin-call", "Margin call"),
    ("margin-call-cleared", "Margin call cleared"),
    ("liquidation-started", "Liquidation started"),
]
_TYPES_BEFORE = ", ".join(f"'{value}'" for value, _label in _TYPES if value != "margin-notice")


def _amount(help_text):
    return coruscant.fields.AmountField(decimal_places=24, help_text=help_text, max_digits=44)


class Migration(migrations.Migration):

    dependencies = [("loans", "0010_loan_events")]

    operations = [
        migrations.CreateModel(
            name="MarginNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("notice_ltv", _amount("MARGIN_NOTICE_LTV at the notice")),
                ("price", _amount("GC a unit, at the instant of the notice")),
                ("price_at", models.DateTimeField()),
                ("outstanding_balance", _amount("GC, at the notice")),
                ("collateral", _amount("Units, at the notice")),
                ("noticed_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "loan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="margin_notices", to="loans.loan"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("loan",),
                        name="one_open_margin_notice_a_loan",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE loans_loanevent DROP CONSTRAINT a_loan_event_has_a_known_type",
            # Events of notices cannot be deleted: they stay, and no others come.
            "ALTER TABLE loans_loanevent ADD CONSTRAINT a_loan_event_has_a_known_type"
            f" CHECK (event_type IN ({_TYPES_BEFORE})) NOT VALID",
            state_operations=[migrations.RemoveConstraint("loanevent", "a_loan_event_has_a_known_type")],
        ),
        migrations.AlterField("loanevent", "event_type", models.CharField(choices=_TYPES, max_length=32)),
        AddConstraintNotValid(
            "loanevent",
            models.CheckConstraint(
                condition=models.Q(("event_type__in", [value for value, _label in _TYPES])),
                name="a_loan_event_has_a_known_type",
            ),
        ),
    ]
