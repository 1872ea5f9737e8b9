"""Triggers write the history from here on: processes of the release before must have stopped (docs/upgrading.md)."""

from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers

_HELP = "The database role of the session: actor and reason can be forged, this not"


class Migration(migrations.Migration):

    dependencies = [("loans", "0006_words")]

    operations = [
        migrations.AddField(
            "historicalloan",
            "history_session_user",
            models.CharField(help_text=_HELP, max_length=63, null=True),
        ),
        migrations.AddField(
            "historicalcollateralposting",
            "history_session_user",
            models.CharField(help_text=_HELP, max_length=63, null=True),
        ),
        migrations.AddField(
            "historicalmargincall",
            "history_session_user",
            models.CharField(help_text=_HELP, max_length=63, null=True),
        ),
        InstallHistoryTriggers("Loan"),
        InstallHistoryTriggers("CollateralPosting"),
        InstallHistoryTriggers("MarginCall"),
    ]
