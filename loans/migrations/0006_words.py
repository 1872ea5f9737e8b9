"""Names of the glossary: margin calls, prices that apply to a loan. Renames only, so no table is rewritten or scanned."""

from django.db import migrations, models


def _status_constraint(field):
    return models.CheckConstraint(
        condition=models.Q(("activated_at__isnull", True), (f"{field}__isnull", True), ("status", "new"))
        | models.Q(
            models.Q(("status", "new"), _negated=True), ("activated_at__isnull", False), (f"{field}__isnull", False)
        ),
        name="a_loan_is_activated_once_it_is_not_new",
    )


class Migration(migrations.Migration):

    dependencies = [("loans", "0005_no_index_without_a_reader")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    """
                    ALTER TABLE loans_loan RENAME COLUMN judged_from TO prices_apply_from;
                    ALTER TABLE loans_historicalloan RENAME COLUMN judged_from TO prices_apply_from;
                    """,
                    """
                    ALTER TABLE loans_loan RENAME COLUMN prices_apply_from TO judged_from;
                    ALTER TABLE loans_historicalloan RENAME COLUMN prices_apply_from TO judged_from;
                    """,
                )
            ],
            state_operations=[
                migrations.RemoveConstraint("loan", "a_loan_is_activated_once_it_is_not_new"),
                migrations.RenameField("loan", "judged_from", "prices_apply_from"),
                migrations.RenameField("historicalloan", "judged_from", "prices_apply_from"),
                migrations.AddConstraint("loan", _status_constraint("prices_apply_from")),
            ],
        ),
        *(
            migrations.AlterField(
                model,
                "prices_apply_from",
                models.DateTimeField(
                    help_text="Prices that ended before this instant do not apply to the loan", null=True
                ),
            )
            for model in ("loan", "historicalloan")
        ),
        migrations.RenameModel("LoanWarning", "MarginCall"),
        migrations.RenameModel("HistoricalLoanWarning", "HistoricalMarginCall"),
        migrations.AlterModelOptions(
            "historicalmargincall",
            {
                "get_latest_by": ("history_date", "history_id"),
                "ordering": ("-history_date", "-history_id"),
                "verbose_name": "historical margin call",
                "verbose_name_plural": "historical margin calls",
            },
        ),
        migrations.AlterField(
            "margincall",
            "loan",
            models.ForeignKey(
                on_delete=models.deletion.PROTECT, related_name="margin_calls", to="loans.loan"
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    """
                    ALTER INDEX one_open_warning_a_loan RENAME TO one_open_margin_call_a_loan;
                    ALTER TABLE loans_margincall
                        RENAME CONSTRAINT a_closed_warning_says_why TO a_closed_margin_call_says_why;
                    ALTER TRIGGER loans_historicalloanwarning_refuses_change ON loans_historicalmargincall
                        RENAME TO loans_historicalmargincall_refuses_change;
                    ALTER TRIGGER loans_historicalloanwarning_refuses_truncate ON loans_historicalmargincall
                        RENAME TO loans_historicalmargincall_refuses_truncate;
                    """,
                    """
                    ALTER INDEX one_open_margin_call_a_loan RENAME TO one_open_warning_a_loan;
                    ALTER TABLE loans_margincall
                        RENAME CONSTRAINT a_closed_margin_call_says_why TO a_closed_warning_says_why;
                    ALTER TRIGGER loans_historicalmargincall_refuses_change ON loans_historicalmargincall
                        RENAME TO loans_historicalloanwarning_refuses_change;
                    ALTER TRIGGER loans_historicalmargincall_refuses_truncate ON loans_historicalmargincall
                        RENAME TO loans_historicalloanwarning_refuses_truncate;
                    """,
                )
            ],
            state_operations=[
                migrations.RemoveConstraint("margincall", "one_open_warning_a_loan"),
                migrations.AddConstraint(
                    "margincall",
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("loan",),
                        name="one_open_margin_call_a_loan",
                    ),
                ),
                migrations.RemoveConstraint("margincall", "a_closed_warning_says_why"),
                migrations.AddConstraint(
                    "margincall",
                    models.CheckConstraint(
                        condition=models.Q(("close_reason", ""), ("closed_at__isnull", True))
                        | models.Q(("closed_at__isnull", False), ("close_reason__in", ["cleared", "claimed"])),
                        name="a_closed_margin_call_says_why",
                    ),
                ),
            ],
        ),
    ]
