-- A rule says what it says from the day it was made: it is withdrawn once, and never changed, brought back or deleted.
CREATE FUNCTION match_rule_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'A rule of matching is never removed: withdraw it.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
     OR (NEW.id, NEW.society_id, NEW.scheme, NEW.value, NEW.work_id, NEW.source, NEW.score, NEW.reason, NEW.made_at, NEW.made_by)
        IS DISTINCT FROM
        (OLD.id, OLD.society_id, OLD.scheme, OLD.value, OLD.work_id, OLD.source, OLD.score, OLD.reason, OLD.made_at, OLD.made_by) THEN
    RAISE EXCEPTION 'A rule of matching is only ever withdrawn: make another.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER match_rule_stays_as_made BEFORE UPDATE OR DELETE ON licensing_matchrule
  FOR EACH ROW EXECUTE FUNCTION match_rule_stays();
CREATE TRIGGER match_rules_stay BEFORE TRUNCATE ON licensing_matchrule
  FOR EACH STATEMENT EXECUTE FUNCTION match_rule_stays();

-- A work is merged into another of its own society, and never, through others, into itself.
CREATE FUNCTION merged_work_survives() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  step record;
  at bigint := NEW.merged_into_id;
BEGIN
  WHILE at IS NOT NULL LOOP
    SELECT id, society_id, merged_into_id INTO step FROM licensing_work WHERE id = at;
    IF step.society_id <> NEW.society_id THEN
      RAISE EXCEPTION 'A work is merged into one of the same society.' USING ERRCODE = 'check_violation';
    ELSIF at = NEW.id THEN
      RAISE EXCEPTION 'A work is not merged into itself.' USING ERRCODE = 'check_violation';
    END IF;
    at := step.merged_into_id;
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER merged_work_survives BEFORE INSERT OR UPDATE OF merged_into_id ON licensing_work
  FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL) EXECUTE FUNCTION merged_work_survives();

-- Rules and other titles are part of what a snapshot of the register holds (permissions/revisions.sql).
DO $$
DECLARE
  part text;
  event text;
BEGIN
  FOREACH part IN ARRAY ARRAY['matchrule', 'workalias'] LOOP
    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
      EXECUTE format(
        'CREATE TRIGGER revision_is_marked_on_%s AFTER %s ON licensing_%s REFERENCING %s TABLE AS changed '
        'FOR EACH STATEMENT EXECUTE FUNCTION mark_revision()',
        event, event, part, CASE event WHEN 'delete' THEN 'OLD' ELSE 'NEW' END);
    END LOOP;
  END LOOP;
END $$;
