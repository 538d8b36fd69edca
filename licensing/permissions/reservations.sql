-- What a reservation says never changes, and it never goes: only its state moves on, and its end is set once, never backwards.
CREATE FUNCTION reservation_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'A reservation is never removed: withdraw it.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.ref, NEW.society_id, NEW.target, NEW.work_id, NEW.holder_id, NEW.place, NEW.pattern, NEW.excepting, NEW.scheme, NEW.value,
      NEW.title, NEW.creators, NEW.uses, NEW.territory, NEW.supersedes_id, NEW.source, NEW.claimant_holder_id, NEW.claimant_role,
      NEW.evidence, NEW.evidence_sha256, NEW.evidence_url, NEW.vocabulary, NEW.signal_id, NEW.created_at)
     IS DISTINCT FROM (OLD.ref, OLD.society_id, OLD.target, OLD.work_id, OLD.holder_id, OLD.place, OLD.pattern, OLD.excepting, OLD.scheme,
      OLD.value, OLD.title, OLD.creators, OLD.uses, OLD.territory, OLD.supersedes_id, OLD.source, OLD.claimant_holder_id,
      OLD.claimant_role, OLD.evidence, OLD.evidence_sha256, OLD.evidence_url, OLD.vocabulary, OLD.signal_id, OLD.created_at)
     OR (OLD.received_at IS NOT NULL AND (NEW.received_at, NEW.effective_from) IS DISTINCT FROM (OLD.received_at, OLD.effective_from))
     OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.status) IS DISTINCT FROM (OLD.ended_at, OLD.status)) THEN
    RAISE EXCEPTION 'What a reservation says never changes: supersede it by a new one.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL AND NEW.ended_at < OLD.received_at THEN
    RAISE EXCEPTION 'A reservation does not end before it was received.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reservation_stays_as_received BEFORE UPDATE OR DELETE ON licensing_reservation
  FOR EACH ROW EXECUTE FUNCTION reservation_stays();
CREATE TRIGGER reservations_stay BEFORE TRUNCATE ON licensing_reservation
  FOR EACH STATEMENT EXECUTE FUNCTION reservation_stays();

-- A version of a signal stays as it was found; only that it was seen again, or that it ended, is noted.
CREATE FUNCTION signal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'A signal that was found is kept.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.site_id, NEW.holder_id, NEW.society_id, NEW.source, NEW.vocabulary, NEW.url, NEW.raw, NEW.sha256, NEW.statements, NEW.found_at)
     IS DISTINCT FROM (OLD.site_id, OLD.holder_id, OLD.society_id, OLD.source, OLD.vocabulary, OLD.url, OLD.raw, OLD.sha256,
      OLD.statements, OLD.found_at) OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
    RAISE EXCEPTION 'A signal is kept as it was found: a change is a new version.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signal_stays_as_found BEFORE UPDATE OR DELETE ON licensing_foundsignal
  FOR EACH ROW EXECUTE FUNCTION signal_stays();
CREATE TRIGGER signals_stay BEFORE TRUNCATE ON licensing_foundsignal
  FOR EACH STATEMENT EXECUTE FUNCTION signal_stays();
