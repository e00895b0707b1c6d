"""What billing knows of a company; VAT rates, purchase limits and switches of the installation."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import skypemgr.lib.periods


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_payment_methods"),
        ("members", "0011_members_table"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PurchaseLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("card", "Card"),
                            ("paypal", "PayPal"),
                            ("sepa_debit", "SEPA direct debit"),
                            ("transfer", "Bank transfer"),
                        ],
                        max_length=10,
                        verbose_name="way",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{3}$", "Three capital letters, such as EUR."
                            )
                        ],
                        verbose_name="currency",
                    ),
                ),
                ("is_verified", models.BooleanField(verbose_name="verified companies")),
                (
                    "single_most",
                    models.DecimalField(
                        decimal_places=4, max_digits=18, verbose_name="at once at most"
                    ),
                ),
                (
                    "monthly_most",
                    models.DecimalField(
                        decimal_places=4, max_digits=18, verbose_name="a month at most"
                    ),
                ),
            ],
            options={
                "verbose_name": "purchase limit",
                "verbose_name_plural": "purchase limits",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("way"),
                        models.F("currency"),
                        models.F("is_verified"),
                        name="purchase_limit_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("monthly_most__gte", 0), ("single_most__gte", 0)),
                        name="purchase_limit_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VatRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{2}$", "Two capital letters, such as FR."
                            )
                        ],
                        verbose_name="country",
                    ),
                ),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=3,
                        max_digits=6,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="rate in percent",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="valid from")),
            ],
            options={
                "verbose_name": "VAT rate",
                "verbose_name_plural": "VAT rates",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("country"), models.F("valid_from"), name="vat_rate_one_a_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gte", 0), ("rate__lte", 100)),
                        name="vat_rate_in_percent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "company_limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        max_digits=18,
                        null=True,
                        verbose_name="own monthly limit",
                    ),
                ),
                (
                    "verified_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="verified"),
                ),
                (
                    "purchases_stopped_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="purchases stopped"),
                ),
                (
                    "automatic_stopped_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="auto-recharge stopped"
                    ),
                ),
                (
                    "stopped_reason",
                    models.CharField(blank=True, max_length=200, verbose_name="reason"),
                ),
                (
                    "vat_number_checked",
                    models.CharField(blank=True, max_length=20, verbose_name="VAT number"),
                ),
                (
                    "vat_state",
                    models.CharField(
                        choices=[
                            ("unchecked", "Not checked yet"),
                            ("valid", "Valid"),
                            ("invalid", "Not valid"),
                            ("unavailable", "Could not be checked"),
                        ],
                        default="unchecked",
                        max_length=11,
                        verbose_name="VAT number's state",
                    ),
                ),
                (
                    "vat_source",
                    models.CharField(
                        blank=True,
                        choices=[("operator", "Operator"), ("vies", "VIES")],
                        max_length=8,
                        verbose_name="checked by",
                    ),
                ),
                (
                    "vat_checked_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last checked"),
                ),
                (
                    "vat_valid_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last found valid"),
                ),
                (
                    "vat_proof",
                    models.CharField(blank=True, max_length=40, verbose_name="consultation number"),
                ),
                (
                    "vat_next_check_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="checked again"),
                ),
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="billing_profile",
                        to="members.company",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "billing profile",
                "verbose_name_plural": "billing profiles",
                "indexes": [
                    models.Index(
                        condition=models.Q(("vat_next_check_at__isnull", False)),
                        fields=["vat_next_check_at"],
                        name="billing_profile_to_check",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("company_limit", None), ("company_limit__gt", 0), _connector="OR"
                        ),
                        name="billing_profile_limit_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("vat_state", "valid"), _negated=True),
                            models.Q(
                                models.Q(("vat_number_checked", ""), _negated=True),
                                ("vat_valid_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="billing_profile_valid_number_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingSwitch",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "purchases_stopped_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="purchases stopped"),
                ),
                (
                    "automatic_stopped_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="auto-recharge stopped"
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "changed_at",
                    models.DateTimeField(default=skypemgr.lib.periods.utc_now, editable=False),
                ),
                (
                    "changed_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "payment switches",
                "verbose_name_plural": "payment switches",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="billing_switch_one_row"
                    )
                ],
            },
        ),
    ]
