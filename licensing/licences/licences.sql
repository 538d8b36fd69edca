-- What was quoted, offered and signed stays as it was: neither the application nor its operator rewrites a contract.
CREATE FUNCTION guard_standard_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'draft' THEN RETURN coalesce(NEW, OLD); END IF;
  IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'status' IS DISTINCT FROM to_jsonb(OLD) - 'status'
     OR NEW.status <> OLD.status AND NOT (OLD.status = 'published' AND NEW.status = 'superseded') THEN
    RAISE EXCEPTION 'published standard terms are never changed: publish a new version' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_standard_terms BEFORE UPDATE OR DELETE ON licensing_standardterms
  FOR EACH ROW EXECUTE FUNCTION guard_standard_terms();

CREATE FUNCTION guard_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is written once and never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER guard_quote BEFORE UPDATE OR DELETE ON licensing_quote FOR EACH ROW EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_offer_document BEFORE UPDATE OR DELETE ON licensing_offerdocument FOR EACH ROW EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_signature_stays BEFORE UPDATE OR DELETE ON licensing_signature FOR EACH ROW EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_certificate BEFORE UPDATE OR DELETE ON licensing_certificate FOR EACH ROW EXECUTE FUNCTION guard_written_once();

CREATE FUNCTION guard_offer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'status' - 'licence_id' IS DISTINCT FROM to_jsonb(OLD) - 'status' - 'licence_id'
     OR OLD.status <> 'open' AND (NEW.status, NEW.licence_id) IS DISTINCT FROM (OLD.status, OLD.licence_id) THEN
    RAISE EXCEPTION 'what was offered is never changed: make a new offer' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.status = 'signed' AND OLD.status <> 'signed' AND (SELECT count(*) FROM licensing_signature s WHERE s.offer_id = NEW.id) <> 2 THEN
    RAISE EXCEPTION 'an offer is signed once both sides have signed it' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_offer BEFORE UPDATE OR DELETE ON licensing_offer FOR EACH ROW EXECUTE FUNCTION guard_offer();

-- Each side signs the digest of this very offer, while it is open, for its own organisation; the society by a second person.
CREATE FUNCTION guard_signature() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  o licensing_offer%ROWTYPE;
  r licensing_licencerequest%ROWTYPE;
BEGIN
  SELECT * INTO o FROM licensing_offer WHERE id = NEW.offer_id;
  SELECT * INTO r FROM licensing_licencerequest WHERE id = o.request_id;
  IF NEW.sha256 <> o.sha256 OR o.status <> 'open' THEN
    RAISE EXCEPTION 'a signature is on the digest of an open offer' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.organisation_id <> (CASE NEW.side WHEN 'society' THEN r.society_id ELSE r.licensee_id END) THEN
    RAISE EXCEPTION 'each side signs for its own organisation' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.side = 'society' AND NEW.user_id = o.user_id THEN
    RAISE EXCEPTION 'who made an offer does not sign it: a second person does' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_signature BEFORE INSERT ON licensing_signature FOR EACH ROW EXECUTE FUNCTION guard_signature();
