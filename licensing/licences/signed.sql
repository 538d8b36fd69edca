-- A request is fixed once it was sent; it moves along its states alone, and where it ended it stays.
CREATE FUNCTION guard_licence_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    RAISE EXCEPTION 'requests for licences are never removed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.status = 'draft' THEN RETURN coalesce(NEW, OLD); END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a request that was sent is never deleted: withdraw it' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF to_jsonb(NEW) - '{status,reason,moved_at}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{status,reason,moved_at}'::text[]
     OR NEW.status = 'draft'
     OR OLD.status IN ('licensed', 'declined', 'withdrawn')
        AND (NEW.status, NEW.reason, NEW.moved_at) IS DISTINCT FROM (OLD.status, OLD.reason, OLD.moved_at) THEN
    RAISE EXCEPTION 'a request that was sent cannot be changed: withdraw it and ask anew' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_licence_request BEFORE UPDATE OR DELETE ON licensing_licencerequest
  FOR EACH ROW EXECUTE FUNCTION guard_licence_request();
CREATE TRIGGER guard_licence_requests BEFORE TRUNCATE ON licensing_licencerequest
  FOR EACH STATEMENT EXECUTE FUNCTION guard_licence_request();
CREATE TRIGGER guard_request_file BEFORE UPDATE OR DELETE ON licensing_requestfile
  FOR EACH ROW EXECUTE FUNCTION guard_written_once();

-- A signature is in time, and one person signs for one side only. The offer is held alone meanwhile: it is signed or withdrawn, not both.
CREATE FUNCTION guard_signature_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last_excluded date;
BEGIN
  SELECT least(o.valid_to, q.valid_to) INTO last_excluded
  FROM licensing_offer o JOIN licensing_quote q ON q.id = o.quote_id WHERE o.id = NEW.offer_id FOR NO KEY UPDATE OF o;
  IF (NEW.signed_at AT TIME ZONE 'Asia/Seoul')::date >= last_excluded THEN
    RAISE EXCEPTION 'an offer is not signed after its last day, nor after that of its quote' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF EXISTS (SELECT FROM licensing_signature s WHERE s.offer_id = NEW.offer_id AND s.side <> NEW.side AND s.user_id = NEW.user_id) THEN
    RAISE EXCEPTION 'nobody signs for both sides' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
-- Its name comes before that of guard_signature, which looks at the state of the offer: it must see it held.
CREATE TRIGGER guard_sign_in_time BEFORE INSERT ON licensing_signature FOR EACH ROW EXECUTE FUNCTION guard_signature_in_time();

-- What both sides signed stays what the licence says: only its state moves, and its end may come earlier.
CREATE FUNCTION guard_signed_licence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM licensing_offer o WHERE o.licence_id = OLD.id) THEN RETURN coalesce(NEW, OLD); END IF;
  IF TG_OP = 'DELETE' OR to_jsonb(NEW) - '{status,valid}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{status,valid}'::text[]
     OR lower(NEW.valid) IS DISTINCT FROM lower(OLD.valid) OR NOT NEW.valid <@ OLD.valid THEN
    RAISE EXCEPTION 'a licence that was signed cannot be changed: amend or terminate it' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_signed_licence BEFORE UPDATE OR DELETE ON licensing_licence FOR EACH ROW EXECUTE FUNCTION guard_signed_licence();

CREATE TRIGGER guard_quotes BEFORE TRUNCATE ON licensing_quote FOR EACH STATEMENT EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_offers BEFORE TRUNCATE ON licensing_offer FOR EACH STATEMENT EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_offer_documents BEFORE TRUNCATE ON licensing_offerdocument FOR EACH STATEMENT EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_signatures_stay BEFORE TRUNCATE ON licensing_signature FOR EACH STATEMENT EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_certificates BEFORE TRUNCATE ON licensing_certificate FOR EACH STATEMENT EXECUTE FUNCTION guard_written_once();
CREATE TRIGGER guard_all_standard_terms BEFORE TRUNCATE ON licensing_standardterms FOR EACH STATEMENT EXECUTE FUNCTION guard_written_once();
