-- The procedure is kept by whoever writes: a draft is published before it is anything else, the body to which a proposal is put decides and
-- no other, nothing is decided for good before everybody could have their say, and what was put to a body ends with a decision of its own.
CREATE FUNCTION guard_tariff_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status NOT IN ('draft', 'proposed') THEN
    RAISE EXCEPTION 'a draft tariff version is proposed first, not %', NEW.status USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_tariff_draft BEFORE UPDATE OF status ON licensing_tariffversion
  FOR EACH ROW WHEN (OLD.status = 'draft') EXECUTE FUNCTION guard_tariff_draft();

CREATE OR REPLACE FUNCTION guard_tariff_determination() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.determined_by_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM accounts_organisation o JOIN licensing_tariff t ON t.id = NEW.tariff_id
       WHERE o.id = NEW.determined_by_id AND o.kind = 'rate_body' AND o.id <> t.society_id) THEN
    RAISE EXCEPTION 'a tariff is determined by a rate body, never by the society' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.determined_by_id <> NEW.addressed_to_id THEN
    RAISE EXCEPTION 'a proposal is determined by the rate body to which it is put' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION guard_tariff_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    RAISE EXCEPTION 'a decision of a rate body is never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT EXISTS (
       SELECT FROM accounts_organisation o JOIN licensing_tariffversion v ON v.id = NEW.version_id JOIN licensing_tariff t ON t.id = v.tariff_id
       WHERE o.id = NEW.body_id AND o.kind = 'rate_body' AND o.id <> t.society_id AND o.id = coalesce(v.addressed_to_id, o.id)) THEN
    RAISE EXCEPTION 'the rate body to which it is put decides on a tariff, never the society' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.outcome <> 'interim' AND EXISTS (
       SELECT FROM licensing_tariffversion v
       WHERE v.id = NEW.version_id AND (NEW.decided_at AT TIME ZONE 'Asia/Seoul')::date < upper(v.consultation)) THEN
    RAISE EXCEPTION 'a tariff is decided after its consultation has closed' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

-- Asked at the end of the transaction, since the decision is written after the step that it decides.
CREATE FUNCTION guard_tariff_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.addressed_to_id IS NOT NULL AND NEW.status NOT IN ('draft', 'proposed', 'withdrawn')
     AND NOT EXISTS (SELECT FROM licensing_decision d WHERE d.version_id = NEW.id) THEN
    RAISE EXCEPTION 'what was put to a rate body ends with a decision of it' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_tariff_outcome AFTER INSERT OR UPDATE OF status ON licensing_tariffversion
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_tariff_outcome();

-- A comment counts on the days of its consultation alone.
CREATE FUNCTION guard_tariff_comment_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.received_at IS NOT NULL AND NOT EXISTS (
       SELECT FROM licensing_tariffversion v
       WHERE v.id = NEW.version_id AND v.consultation @> (NEW.received_at AT TIME ZONE 'Asia/Seoul')::date) THEN
    RAISE EXCEPTION 'a comment is received while its consultation is open' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_tariff_comment_in_time BEFORE INSERT OR UPDATE OF received_at ON licensing_comment
  FOR EACH ROW EXECUTE FUNCTION guard_tariff_comment_in_time();

CREATE FUNCTION guard_comment_attachment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM licensing_comment c WHERE c.id = coalesce(NEW.comment_id, OLD.comment_id) AND c.status IN ('published', 'withheld'))
     OR TG_OP <> 'INSERT' AND EXISTS (SELECT FROM licensing_comment c WHERE c.id = OLD.comment_id AND c.status <> 'unconfirmed') THEN
    RAISE EXCEPTION 'what was sent with a comment stays as it was' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER guard_comment_attachment BEFORE INSERT OR UPDATE OR DELETE ON licensing_attachment
  FOR EACH ROW EXECUTE FUNCTION guard_comment_attachment();
