"""The digest of a rejected message's body, of which not all is kept. Rows of releases before have none."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("pricing", "0006_remarkable_quotes"),
    ]

    operations = [
        migrations.AddField(
            model_name="rejectedmessage",
            name="body_sha256",
            field=models.CharField(blank=True, db_default="", default="", help_text="Of the whole body, as it came", max_length=64),
        ),
    ]
