"""Loan events and their topic. The database refuses to change what an event says, and to delete one."""

import django.db.models.deletion
from django.db import migrations, models

_TYPES = [
    ("application", "Application"),
    ("activation", "Activation"),
    ("margin-call", "Margin call"),
    ("margin-call-cleared", "Margin call cleared"),
    ("liquidation-started", "Liquidation started"),
]

_REFUSE = "EXECUTE FUNCTION coruscant_refuse_change()"
_SAYS = "loan_id, sequence, event_type, event_id, body, created_at"


class Migration(migrations.Migration):

    dependencies = [("loans", "0009_terms_are_checked_and_indexed")]

    operations = [
        migrations.CreateModel(
            name="LoanEventTopic",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("topic", models.CharField(max_length=256)),
                ("since", models.DateTimeField(help_text="Every transition from this instant on has an event")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_topic_of_loan_events")
                ],
            },
        ),
        migrations.CreateModel(
            name="LoanEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.UUIDField()),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "message_id",
                    models.CharField(
                        blank=True, default="", help_text="SNS MessageId of the marked send", max_length=128
                    ),
                ),
                ("sends", models.PositiveIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("sequence", models.PositiveIntegerField(help_text="1 for a loan's first event")),
                ("event_type", models.CharField(choices=_TYPES, max_length=32)),
                (
                    "loan",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="events",
                        to="loans.loan",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at__isnull", True)), fields=["due_at"], include=["created_at"],
                        name="loan_events_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("loan", "sequence"), name="loan_events_are_numbered"),
                    models.CheckConstraint(
                        condition=models.Q(("event_type__in", [value for value, _label in _TYPES])),
                        name="a_loan_event_has_a_known_type",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            f"""
            CREATE TRIGGER loans_loanevent_refuses_change BEFORE UPDATE OF {_SAYS} ON loans_loanevent
                FOR EACH ROW {_REFUSE};
            CREATE TRIGGER loans_loanevent_refuses_delete BEFORE DELETE ON loans_loanevent FOR EACH ROW {_REFUSE};
            CREATE TRIGGER loans_loanevent_refuses_truncate BEFORE TRUNCATE ON loans_loanevent
                FOR EACH STATEMENT {_REFUSE};
            """,
            migrations.RunSQL.noop,  # they go with the table
        ),
    ]
