-- The procedure leaves marks that nobody rubs out. A version is fixed from its publication on: its rates, its number and what was said for
-- it. It moves along the states alone. Only the end of one that prices may be set earlier, when a later version supersedes it.
CREATE OR REPLACE FUNCTION guard_tariff_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'draft' THEN RETURN coalesce(NEW, OLD); END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a published tariff version is never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (NEW.id, NEW.tariff_id, NEW.version, NEW.document, NEW.sha256, NEW.amends_id, NEW.created_at)
     IS DISTINCT FROM (OLD.id, OLD.tariff_id, OLD.version, OLD.document, OLD.sha256, OLD.amends_id, OLD.created_at)
     OR lower(NEW.valid) IS DISTINCT FROM lower(OLD.valid) OR NOT NEW.valid <@ OLD.valid THEN
    RAISE EXCEPTION 'a published tariff version cannot be changed: propose a new version' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.published_at IS NOT NULL AND (NEW.addressed_to_id, NEW.reasons, NEW.effect, NEW.figures, NEW.published_at)
     IS DISTINCT FROM (OLD.addressed_to_id, OLD.reasons, OLD.effect, OLD.figures, OLD.published_at) THEN
    RAISE EXCEPTION 'what was published for a proposal cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.consultation IS NOT NULL AND (NEW.consultation IS NULL OR NOT OLD.consultation <@ NEW.consultation) THEN
    RAISE EXCEPTION 'a consultation can be made longer, never shorter' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.status <> OLD.status AND NOT (
       OLD.status = 'proposed' AND NEW.status IN ('determined', 'interim', 'amended', 'refused', 'withdrawn')
       OR OLD.status = 'interim' AND NEW.status IN ('determined', 'replaced')) THEN
    RAISE EXCEPTION 'a tariff version does not go from % to %', OLD.status, NEW.status USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.status IN ('determined', 'amended', 'refused', 'withdrawn', 'replaced')
     AND (NEW.determined_by_id, NEW.determined_at) IS DISTINCT FROM (OLD.determined_by_id, OLD.determined_at) THEN
    RAISE EXCEPTION 'who determined a tariff version cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

-- Never the society: whoever determines is a rate body, and not the one that proposed.
CREATE FUNCTION guard_tariff_determination() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.determined_by_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM accounts_organisation o JOIN licensing_tariff t ON t.id = NEW.tariff_id
       WHERE o.id = NEW.determined_by_id AND o.kind = 'rate_body' AND o.id <> t.society_id) THEN
    RAISE EXCEPTION 'a tariff is determined by a rate body, never by the society' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_tariff_determination BEFORE INSERT OR UPDATE OF determined_by_id ON licensing_tariffversion
  FOR EACH ROW EXECUTE FUNCTION guard_tariff_determination();

CREATE FUNCTION guard_tariff_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    RAISE EXCEPTION 'a decision of a rate body is never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT EXISTS (
       SELECT FROM accounts_organisation o JOIN licensing_tariffversion v ON v.id = NEW.version_id JOIN licensing_tariff t ON t.id = v.tariff_id
       WHERE o.id = NEW.body_id AND o.kind = 'rate_body' AND o.id <> t.society_id) THEN
    RAISE EXCEPTION 'a rate body decides on a tariff, never the society' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_tariff_decision BEFORE INSERT OR UPDATE OR DELETE ON licensing_decision
  FOR EACH ROW EXECUTE FUNCTION guard_tariff_decision();

-- A comment keeps its words; one that waits for its e-mail may go again, one that was received never does.
CREATE FUNCTION guard_tariff_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'unconfirmed' THEN RETURN coalesce(NEW, OLD); END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a comment that was received is never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (NEW.id, NEW.ref, NEW.version_id, NEW.user_id, NEW.name, NEW.standing, NEW.organisation, NEW.text, NEW.received_at)
     IS DISTINCT FROM (OLD.id, OLD.ref, OLD.version_id, OLD.user_id, OLD.name, OLD.standing, OLD.organisation, OLD.text, OLD.received_at)
     OR OLD.answered_at IS NOT NULL AND (NEW.answer, NEW.answered_at) IS DISTINCT FROM (OLD.answer, OLD.answered_at)
     OR OLD.status IN ('published', 'withheld') AND (NEW.status, NEW.ground) IS DISTINCT FROM (OLD.status, OLD.ground) THEN
    RAISE EXCEPTION 'what was said in a consultation cannot be changed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_tariff_comment BEFORE UPDATE OR DELETE ON licensing_comment
  FOR EACH ROW EXECUTE FUNCTION guard_tariff_comment();
