-- A sample stays as it was drawn, by rows or by units, and an audit as it was closed.
CREATE OR REPLACE FUNCTION audit_sample_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'closed' THEN
    RAISE EXCEPTION 'A closed audit is immutable.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.declaration_id, NEW.seed, NEW.method, NEW.unit, NEW.population, NEW.population_units, NEW.size, NEW.confidence,
       NEW.drawn_at, NEW.drawn_by)
      IS DISTINCT FROM (OLD.declaration_id, OLD.seed, OLD.method, OLD.unit, OLD.population, OLD.population_units, OLD.size, OLD.confidence,
       OLD.drawn_at, OLD.drawn_by) THEN
    RAISE EXCEPTION 'A sample stays as it was drawn.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit_line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  about bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.sample_id ELSE OLD.sample_id END;
BEGIN
  IF EXISTS (SELECT FROM licensing_auditsample s WHERE s.id = about AND s.status = 'closed') THEN
    RAISE EXCEPTION 'The findings of a closed audit are immutable.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.sample_id, NEW.position, NEW.use_id, NEW.draws) IS DISTINCT FROM (OLD.sample_id, OLD.position, OLD.use_id, OLD.draws) THEN
    RAISE EXCEPTION 'A sample stays as it was drawn.' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END $$;
