"""What companies say of themselves: address, legal numbers, links."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0008_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="address_line_1",
            field=models.CharField(blank=True, max_length=150, verbose_name="address"),
        ),
        migrations.AddField(
            model_name="company",
            name="address_line_2",
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name="company",
            name="city",
            field=models.CharField(blank=True, max_length=100, verbose_name="city"),
        ),
        migrations.AddField(
            model_name="company",
            name="phone",
            field=models.CharField(blank=True, max_length=32, verbose_name="phone number"),
        ),
        migrations.AddField(
            model_name="company",
            name="postcode",
            field=models.CharField(blank=True, max_length=20, verbose_name="postcode"),
        ),
        migrations.AddField(
            model_name="company",
            name="privacy_url",
            field=models.URLField(blank=True),
        ),
        migrations.AddField(
            model_name="company",
            name="siren",
            field=models.CharField(blank=True, max_length=9, verbose_name="SIREN"),
        ),
        migrations.AddField(
            model_name="company",
            name="terms_url",
            field=models.URLField(blank=True),
        ),
        migrations.AddField(
            model_name="company",
            name="vat_number",
            field=models.CharField(blank=True, max_length=20, verbose_name="VAT number"),
        ),
        migrations.AddField(
            model_name="company",
            name="website",
            field=models.URLField(blank=True, verbose_name="web site"),
        ),
    ]
