-- A standing offer is signed once, as it was prepared, and closed once; what was signed never changes.
CREATE FUNCTION guard_standing_offer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moved text[] := '{status,signed_by_id,typed_name,capacity,document_sha256,signed_at}';
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    RAISE EXCEPTION 'standing offers are never removed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'prepared' OR NEW.signed_by_id IS NOT NULL THEN
      RAISE EXCEPTION 'a standing offer is prepared first, then signed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a standing offer is never deleted: close it' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF to_jsonb(NEW) - moved IS DISTINCT FROM to_jsonb(OLD) - moved THEN
    RAISE EXCEPTION 'a standing offer stays as it was prepared: close it and prepare another' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT (OLD.status = 'prepared' AND NEW.status = 'open' AND length(NEW.document_sha256) = 64 AND NEW.typed_name <> '')
     AND NOT (OLD.status IN ('prepared', 'open') AND NEW.status = 'closed'
              AND to_jsonb(NEW) - 'status' IS NOT DISTINCT FROM to_jsonb(OLD) - 'status') THEN
    RAISE EXCEPTION 'a standing offer is signed, then closed, each once' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_standing_offer BEFORE INSERT OR UPDATE OR DELETE ON licensing_standingoffer
  FOR EACH ROW EXECUTE FUNCTION guard_standing_offer();
CREATE TRIGGER guard_standing_offers BEFORE TRUNCATE ON licensing_standingoffer
  FOR EACH STATEMENT EXECUTE FUNCTION guard_standing_offer();

-- Where an offer comes from a standing one, who signed that signed for the society, and it is still open.
CREATE FUNCTION guard_standing_signature() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  s licensing_standingoffer%ROWTYPE;
BEGIN
  SELECT st.* INTO s FROM licensing_offer o JOIN licensing_standingoffer st ON st.id = o.standing_id WHERE o.id = NEW.offer_id FOR SHARE OF st;
  IF FOUND AND (s.status <> 'open' OR NEW.side = 'society' AND NEW.user_id IS DISTINCT FROM s.signed_by_id) THEN
    RAISE EXCEPTION 'a licence is taken while its standing offer is open, with the signature under that' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_standing_signature BEFORE INSERT ON licensing_signature
  FOR EACH ROW EXECUTE FUNCTION guard_standing_signature();
