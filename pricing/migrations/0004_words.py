"""Names of the glossary: evaluate loans, outcomes of messages. Renames only, so no table is rewritten or scanned."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("pricing", "0003_silences_judged")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    """
                    ALTER TABLE pricing_pricequote RENAME COLUMN swept_at TO evaluated_at;
                    ALTER TABLE pricing_pricequote
                        RENAME CONSTRAINT a_late_quote_is_never_swept_again TO a_late_quote_is_never_evaluated;
                    ALTER INDEX quote_not_yet_swept RENAME TO quote_not_yet_evaluated;
                    ALTER TABLE pricing_feed RENAME CONSTRAINT every_message_has_one_fate TO every_message_has_one_outcome;
                    """,
                    """
                    ALTER TABLE pricing_pricequote RENAME COLUMN evaluated_at TO swept_at;
                    ALTER TABLE pricing_pricequote
                        RENAME CONSTRAINT a_late_quote_is_never_evaluated TO a_late_quote_is_never_swept_again;
                    ALTER INDEX quote_not_yet_evaluated RENAME TO quote_not_yet_swept;
                    ALTER TABLE pricing_feed RENAME CONSTRAINT every_message_has_one_outcome TO every_message_has_one_fate;
                    """,
                )
            ],
            state_operations=[
                migrations.RemoveConstraint("pricequote", "a_late_quote_is_never_swept_again"),
                migrations.RemoveIndex("pricequote", "quote_not_yet_swept"),
                migrations.RenameField("pricequote", "swept_at", "evaluated_at"),
                migrations.AddConstraint(
                    "pricequote",
                    models.CheckConstraint(
                        condition=models.Q(("too_late", False), ("evaluated_at__isnull", False), _connector="OR"),
                        name="a_late_quote_is_never_evaluated",
                    ),
                ),
                migrations.AddIndex(
                    "pricequote",
                    models.Index(
                        fields=["sent_at"],
                        name="quote_not_yet_evaluated",
                        condition=models.Q(("evaluated_at__isnull", True)),
                    ),
                ),
                migrations.RemoveConstraint("feed", "every_message_has_one_fate"),
                migrations.AddConstraint(
                    "feed",
                    models.CheckConstraint(
                        condition=models.Q(
                            received=models.F("quotes") + models.F("duplicates") + models.F("skipped") + models.F("rejected")
                        ),
                        name="every_message_has_one_outcome",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            "pricequote",
            "evaluated_at",
            models.DateTimeField(help_text="When all loans had been evaluated by it; empty = not yet", null=True),
        ),
        migrations.RenameModel("JudgedFeed", "FeedEvaluation"),
        migrations.RenameField("feedevaluation", "judged_to", "known_drained_to"),
    ]
