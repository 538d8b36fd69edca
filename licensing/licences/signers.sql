-- Whoever writes: who signs works for that side in a role that may sign (`accounts.access.core`: licences.sign). Under a standing offer the
-- society has signed once for all, by somebody who may have left since.
CREATE FUNCTION guard_signer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
       SELECT FROM accounts_membership m WHERE m.user_id = NEW.user_id AND m.organisation_id = NEW.organisation_id
       AND m.role = ANY (CASE NEW.side WHEN 'society' THEN '{administrator,licensing}' ELSE '{administrator}' END::text[]))
     AND NOT (NEW.side = 'society' AND EXISTS (SELECT FROM licensing_offer o WHERE o.id = NEW.offer_id AND o.standing_id IS NOT NULL)) THEN
    RAISE EXCEPTION 'who signs holds a role that may sign for that side' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_signer BEFORE INSERT ON licensing_signature
  FOR EACH ROW EXECUTE FUNCTION guard_signer();
