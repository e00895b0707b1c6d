"""What an invoice will say of a paid purchase never changes, enforced past the code."""

from django.db import migrations

FROZEN = """
CREATE FUNCTION billing_purchase_facts_are_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'restrict_violation',
    CONSTRAINT = TG_NAME,
    MESSAGE = TG_NAME || ': what a paid purchase cost and its invoice says is never edited';
END $$;
CREATE TRIGGER purchase_facts_are_frozen
  BEFORE UPDATE ON billing_purchase
  FOR EACH ROW
  WHEN (
    OLD.invoice_facts IS NOT NULL AND
    (OLD.invoice_facts, OLD.company_id, OLD.amount, OLD.vat_rate, OLD.vat_reason, OLD.vat_amount,
     OLD.total, OLD.currency)
    IS DISTINCT FROM
    (NEW.invoice_facts, NEW.company_id, NEW.amount, NEW.vat_rate, NEW.vat_reason, NEW.vat_amount,
     NEW.total, NEW.currency)
  )
  EXECUTE FUNCTION billing_purchase_facts_are_frozen();
"""
UNFROZEN = """
DROP TRIGGER purchase_facts_are_frozen ON billing_purchase;
DROP FUNCTION billing_purchase_facts_are_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_billing_profile")]

    operations = [migrations.RunSQL(FROZEN, UNFROZEN)]
