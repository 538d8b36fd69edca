-- What a claim says, about what and by whom, stays as it was made; once it is decided or withdrawn nothing of it changes, and none is
-- ever deleted: money follows from it, and who was refused may ask why.
CREATE FUNCTION claim_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'A claim is never removed.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.status <> 'open' THEN
    RAISE EXCEPTION 'A claim that is over stays as it ended.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.id, NEW.ref, NEW.item_id, NEW.holder_id, NEW.claimant_id, NEW.statement, NEW.evidence_id, NEW.made_at)
     IS DISTINCT FROM (OLD.id, OLD.ref, OLD.item_id, OLD.holder_id, OLD.claimant_id, OLD.statement, OLD.evidence_id, OLD.made_at) THEN
    RAISE EXCEPTION 'A claim says what it said when it was made.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER claim_stays_as_made BEFORE UPDATE OR DELETE ON licensing_claim FOR EACH ROW EXECUTE FUNCTION claim_stays();
CREATE TRIGGER claims_stay BEFORE TRUNCATE ON licensing_claim FOR EACH STATEMENT EXECUTE FUNCTION claim_stays();
