"""What billing promises about its rows, enforced by the database past the code."""

from django.db import migrations

COMPOSITE_KEYS = """
ALTER TABLE billing_purchase
  ADD CONSTRAINT purchase_buyer_of_same_company
  FOREIGN KEY (made_by_id, company_id) REFERENCES members_member (id, company_id);
ALTER TABLE billing_autopurchaserule
  ADD CONSTRAINT auto_purchase_consent_of_same_company
  FOREIGN KEY (consent_by_id, company_id) REFERENCES members_member (id, company_id);
ALTER TABLE billing_autopurchaseconsent
  ADD CONSTRAINT consent_member_of_same_company
  FOREIGN KEY (member_id, company_id) REFERENCES members_member (id, company_id);
"""
DROP_COMPOSITE_KEYS = """
ALTER TABLE billing_autopurchaseconsent DROP CONSTRAINT consent_member_of_same_company;
ALTER TABLE billing_autopurchaserule DROP CONSTRAINT auto_purchase_consent_of_same_company;
ALTER TABLE billing_purchase DROP CONSTRAINT purchase_buyer_of_same_company;
"""

NEVER_CHANGED = """
CREATE FUNCTION billing_record_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'restrict_violation',
    CONSTRAINT = TG_NAME,
    MESSAGE = TG_NAME || ': what was told or agreed to is never edited';
END $$;
CREATE TRIGGER payment_event_is_never_changed
  BEFORE UPDATE OR DELETE ON billing_paymentevent
  FOR EACH ROW EXECUTE FUNCTION billing_record_is_never_changed();
CREATE TRIGGER auto_purchase_consent_is_never_changed
  BEFORE UPDATE OR DELETE ON billing_autopurchaseconsent
  FOR EACH ROW EXECUTE FUNCTION billing_record_is_never_changed();
"""
DROP_NEVER_CHANGED = """
DROP TRIGGER auto_purchase_consent_is_never_changed ON billing_autopurchaseconsent;
DROP TRIGGER payment_event_is_never_changed ON billing_paymentevent;
DROP FUNCTION billing_record_is_never_changed();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_consent_and_steps"), ("members", "0001_initial")]

    operations = [
        migrations.RunSQL(COMPOSITE_KEYS, DROP_COMPOSITE_KEYS),
        migrations.RunSQL(NEVER_CHANGED, DROP_NEVER_CHANGED),
    ]
