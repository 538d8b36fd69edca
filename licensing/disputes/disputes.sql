-- How a conflict over shares ended stays: shares and money follow from it. Nothing of it is ever deleted.
CREATE FUNCTION dispute_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE state text;
BEGIN
  IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
    RAISE EXCEPTION 'A dispute is never removed.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_TABLE_NAME = 'licensing_dispute' THEN
    IF OLD.status <> 'open' THEN
      RAISE EXCEPTION 'A dispute that is over stays as it ended.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.society_id, NEW.work_id, NEW.kind, NEW.holder_id, NEW.role, NEW.reason, NEW.raised_by, NEW.opened_on)
       IS DISTINCT FROM (OLD.id, OLD.society_id, OLD.work_id, OLD.kind, OLD.holder_id, OLD.role, OLD.reason, OLD.raised_by, OLD.opened_on) THEN
      RAISE EXCEPTION 'A dispute is about what it was opened for.' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSE
    SELECT status INTO state FROM licensing_dispute WHERE id = NEW.dispute_id FOR KEY SHARE;
    IF state <> 'open' THEN
      RAISE EXCEPTION 'Who claims has said what they said: the dispute is over.' USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dispute_stays_as_it_ended BEFORE UPDATE OR DELETE ON licensing_dispute FOR EACH ROW EXECUTE FUNCTION dispute_stays();
CREATE TRIGGER disputes_stay BEFORE TRUNCATE ON licensing_dispute FOR EACH STATEMENT EXECUTE FUNCTION dispute_stays();
CREATE TRIGGER dispute_party_stays BEFORE INSERT OR UPDATE OR DELETE ON licensing_disputeparty FOR EACH ROW EXECUTE FUNCTION dispute_stays();
CREATE TRIGGER dispute_parties_stay BEFORE TRUNCATE ON licensing_disputeparty FOR EACH STATEMENT EXECUTE FUNCTION dispute_stays();
