from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credit", "0004_statement"),
    ]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="country",
            field=models.CharField(blank=True, max_length=3),
        )
        for model in ("call", "rate")
    ]
