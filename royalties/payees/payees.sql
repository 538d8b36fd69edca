-- What payees once said stays as it was said; statuses move forward only; who is paid where is answered by one function.

CREATE FUNCTION royalties_refuse_payee_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: it is kept as it was written', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payee_data_are_kept';
END $$;

-- 1. A version of payment details begins as a request. Afterwards its status moves, with who decided and when; or it is sealed anew
--    under another key. Nothing else about it changes, ever.
CREATE FUNCTION royalties_keep_payee_details() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moved constant text[] := '{status,decided_by_id,decided_at,usable_from,closed_at,reason}';
  sealed_anew constant text[] := '{sealed,key_id,fingerprint}';
BEGIN
  IF NEW.key_id <> OLD.key_id AND (to_jsonb(NEW) - sealed_anew) = (to_jsonb(OLD) - sealed_anew) THEN
    RETURN NEW;
  END IF;
  IF (to_jsonb(NEW) - moved) = (to_jsonb(OLD) - moved)
    AND (OLD.status, NEW.status) IN (('requested', 'approved'), ('requested', 'refused'), ('requested', 'withdrawn'),
                                     ('requested', 'objected'), ('approved', 'objected'))
    AND (OLD.status <> 'approved' OR (NEW.decided_by_id, NEW.decided_at, NEW.usable_from) = (OLD.decided_by_id, OLD.decided_at, OLD.usable_from))
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'payment details % are kept as they were: make a new version', OLD.id
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payee_data_are_kept';
END $$;
CREATE TRIGGER kept BEFORE UPDATE ON royalties_payeedetails FOR EACH ROW EXECUTE FUNCTION royalties_keep_payee_details();
CREATE TRIGGER begins_as_request BEFORE INSERT ON royalties_payeedetails
  FOR EACH ROW WHEN (NEW.status <> 'requested' OR NEW.decided_by_id IS NOT NULL OR NEW.usable_from IS NOT NULL)
  EXECUTE FUNCTION royalties_refuse_payee_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON royalties_payeedetails FOR EACH ROW EXECUTE FUNCTION royalties_refuse_payee_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON royalties_payeedetails FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_payee_change();

-- 2. Checks and readings are only added.
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON royalties_sanctionscheck FOR EACH ROW EXECUTE FUNCTION royalties_refuse_payee_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON royalties_sanctionscheck FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_payee_change();
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON royalties_payeereading FOR EACH ROW EXECUTE FUNCTION royalties_refuse_payee_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON royalties_payeereading FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_payee_change();

-- 3. A tax paper says what it says; what is found wrong later no longer counts.
CREATE FUNCTION royalties_keep_tax_paper() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE moved constant text[] := '{status,decided_by_id,decided_at}';
BEGIN
  IF (to_jsonb(NEW) - moved) = (to_jsonb(OLD) - moved)
    AND (OLD.status, NEW.status) IN (('requested', 'approved'), ('requested', 'refused'), ('approved', 'revoked')) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'tax paper % is kept as it was: put a new one on record', OLD.id
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'payee_data_are_kept';
END $$;
CREATE TRIGGER kept BEFORE UPDATE ON royalties_taxpaper FOR EACH ROW EXECUTE FUNCTION royalties_keep_tax_paper();
CREATE TRIGGER never_deleted BEFORE DELETE ON royalties_taxpaper FOR EACH ROW EXECUTE FUNCTION royalties_refuse_payee_change();

-- 4. The law is written once: of a jurisdiction and kind of payee one rule a day, of which only an open end is ever set.
ALTER TABLE royalties_taxrule ADD CONSTRAINT tax_rule_is_one_a_day EXCLUDE USING gist (
  int8range(hashtextextended(jurisdiction || ' ' || applies_to, 0), hashtextextended(jurisdiction || ' ' || applies_to, 0), '[]') WITH &&,
  valid WITH &&);
CREATE FUNCTION royalties_keep_tax_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (to_jsonb(NEW) - 'valid') = (to_jsonb(OLD) - 'valid') AND lower(NEW.valid) = lower(OLD.valid) AND upper_inf(OLD.valid) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'tax rule % is kept as it was: import a new version', OLD.id
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'tax_rule_is_kept';
END $$;
CREATE TRIGGER kept BEFORE UPDATE ON royalties_taxrule FOR EACH ROW EXECUTE FUNCTION royalties_keep_tax_rule();
CREATE TRIGGER never_deleted BEFORE DELETE ON royalties_taxrule FOR EACH ROW EXECUTE FUNCTION royalties_refuse_payee_change();

-- 5. Of each payee of a society, the version that is used at a moment, or the one that is waited for, and why nothing is paid to it:
--    '' (nothing hinders), not_approved, cooling_off, sanctions, incomplete.
CREATE FUNCTION royalties_payees_at(society bigint, currency text, moment timestamptz)
RETURNS TABLE (payee_id bigint, holder_id bigint, details_id bigint, tax_status text, residence text, treaty_id bigint, blocked text)
LANGUAGE sql STABLE AS $$
  WITH chosen AS (
    SELECT DISTINCT ON (d.payee_id) d.payee_id, d.id, d.tax_status, d.residence, d.kind, d.status, d.usable_from
    FROM royalties_payeedetails d
    WHERE d.society_id = $1 AND d.currency IN ('', $2) AND d.status IN ('requested', 'approved')
    ORDER BY d.payee_id,
      CASE WHEN d.status = 'approved' AND d.usable_from <= $3 THEN 0 WHEN d.status = 'approved' THEN 1 ELSE 2 END,
      d.currency = '', d.version DESC)
  SELECT c.payee_id, p.holder_id, c.id, c.tax_status::text, c.residence::text, paper.id,
    CASE
      WHEN c.status = 'requested' THEN 'not_approved'
      WHEN c.usable_from > $3 THEN 'cooling_off'
      WHEN c.kind = '' OR c.tax_status = '' OR c.residence = '' THEN 'incomplete'
      WHEN checked.state IS DISTINCT FROM 'clear' THEN 'sanctions'
      ELSE '' END
  FROM chosen c
  JOIN royalties_payee p ON p.id = c.payee_id
  LEFT JOIN LATERAL (SELECT s.state FROM royalties_sanctionscheck s WHERE s.details_id = c.id ORDER BY s.id DESC LIMIT 1) checked ON true
  LEFT JOIN LATERAL (
    SELECT t.id FROM royalties_taxpaper t
    WHERE t.payee_id = c.payee_id AND t.status = 'approved' AND t.valid @> ($3 AT TIME ZONE 'Asia/Seoul')::date
    ORDER BY t.id DESC LIMIT 1) paper ON true
$$;

-- 6. The same of holders alone.
CREATE FUNCTION royalties_payee_on(society bigint, currency text, moment timestamptz)
RETURNS TABLE (holder_id bigint, details_id bigint, tax_status text, residence text, treaty_id bigint, blocked text)
LANGUAGE sql STABLE AS $$
  SELECT a.holder_id, a.details_id, a.tax_status, a.residence, a.treaty_id, a.blocked
  FROM royalties_payees_at($1, $2, $3) a WHERE a.holder_id IS NOT NULL
$$;
