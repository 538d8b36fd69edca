-- What the database holds of entitlements, advances and sister societies, whoever writes.

-- 1. On no day do the approved portions of one kind come to more than the whole of what a holder is owed. The sum over days
--    can only rise where a range begins, so those days are looked at. Who approves two at once waits for the other.
CREATE FUNCTION royalties_check_entitlement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE most bigint;
BEGIN
  IF NEW.status <> 'approved' THEN RETURN NULL; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(format('entitlement %s %s', NEW.holder_id, NEW.kind), 0));
  SELECT max(total) INTO most FROM (
    SELECT (SELECT sum(o.ppm) FROM royalties_entitlement o
            WHERE o.holder_id = NEW.holder_id AND o.kind = NEW.kind AND o.status = 'approved' AND o.valid @> lower(e.valid)) AS total
    FROM royalties_entitlement e
    WHERE e.holder_id = NEW.holder_id AND e.kind = NEW.kind AND e.status = 'approved' AND e.valid && NEW.valid) days;
  IF most > 1000000 THEN
    RAISE EXCEPTION 'the portions of this kind come to % ppm on some day', most
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entitlement_portions_stay_within_the_whole';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entitlement_portions_stay_within_the_whole AFTER INSERT OR UPDATE ON royalties_entitlement
  FOR EACH ROW EXECUTE FUNCTION royalties_check_entitlement();

-- The same right is not recorded twice for a day. (Several orders of one creditor are several rights.)
ALTER TABLE royalties_entitlement ADD CONSTRAINT entitlement_is_recorded_once_a_day EXCLUDE USING gist (
  int8range(holder_id, holder_id, '[]') WITH &&,
  int8range(hashtextextended(kind, 0), hashtextextended(kind, 0), '[]') WITH &&,
  int8range(coalesce(to_holder_id, -to_payee_id), coalesce(to_holder_id, -to_payee_id), '[]') WITH &&,
  valid WITH &&
) WHERE (status = 'approved' AND kind <> 'garnishment');

-- 2. What a decided entitlement says stays: it can end earlier, or be revoked. None is removed.
CREATE FUNCTION royalties_guard_entitlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.society_id, NEW.holder_id, NEW.kind, NEW.to_holder_id, NEW.to_payee_id, NEW.ppm, NEW.ceiling, NEW.currency,
      NEW.priority, NEW.with_arrears, NEW.basis, NEW.document_id, lower(NEW.valid))
     IS DISTINCT FROM
     (OLD.society_id, OLD.holder_id, OLD.kind, OLD.to_holder_id, OLD.to_payee_id, OLD.ppm, OLD.ceiling, OLD.currency,
      OLD.priority, OLD.with_arrears, OLD.basis, OLD.document_id, lower(OLD.valid))
     OR NOT OLD.valid @> NEW.valid
     OR (OLD.status IN ('refused', 'revoked') AND NEW.status <> OLD.status)
     OR (OLD.status = 'approved' AND NEW.status NOT IN ('approved', 'revoked')) THEN
    RAISE EXCEPTION 'entitlement %: what it says stays; end it and record another', OLD.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entitlement_says_the_same_for_ever';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER entitlement_says_the_same_for_ever BEFORE UPDATE ON royalties_entitlement
  FOR EACH ROW EXECUTE FUNCTION royalties_guard_entitlement();

-- 3. What moved is only added to.
CREATE FUNCTION royalties_refuse_change_of_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: rows are only added', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'entitlement_moves_are_append_only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_entitlementmove FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change_of_moves();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_entitlementpayment FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change_of_moves();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_advancemove FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change_of_moves();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_sisterline FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change_of_moves();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON royalties_entitlement FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change_of_moves();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON royalties_advance FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change_of_moves();
CREATE TRIGGER keep BEFORE DELETE OR TRUNCATE ON royalties_sisterstatement FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_change_of_moves();

-- 4. Sums follow their rows, so that the constraints on them hold: what an order may take, what of an advance is open.
CREATE FUNCTION royalties_count_entitlement_payments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE royalties_entitlement e SET paid = e.paid + a.amount
  FROM (SELECT entitlement_id, sum(amount)::bigint AS amount FROM added GROUP BY entitlement_id) a
  WHERE e.id = a.entitlement_id AND e.ceiling IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER count_payments AFTER INSERT ON royalties_entitlementpayment REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_count_entitlement_payments();

CREATE FUNCTION royalties_count_advance_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE royalties_advance v SET recouped = v.recouped + a.recouped, written_off = v.written_off + a.written_off,
    status = CASE WHEN v.status = 'paid' AND v.recouped + a.recouped + v.written_off + a.written_off = v.amount
                  THEN CASE WHEN a.written_off > 0 THEN 'written_off' ELSE 'recouped' END ELSE v.status END
  FROM (SELECT advance_id, coalesce(sum(amount) FILTER (WHERE kind = 'recouped'), 0)::bigint AS recouped,
               coalesce(sum(amount) FILTER (WHERE kind = 'written_off'), 0)::bigint AS written_off
        FROM added GROUP BY advance_id) a
  WHERE v.id = a.advance_id;
  RETURN NULL;
END $$;
CREATE TRIGGER count_moves AFTER INSERT ON royalties_advancemove REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_count_advance_moves();

-- 5. The deductions of an agreement with a sister society, in their order, each from what is left, half up.
--    royalties.entitlements.core.sisters says the same.
CREATE FUNCTION royalties_sister_cuts(gross bigint, ppms integer[]) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE rest numeric := gross; cut numeric; found bigint[] := '{}'; ppm integer;
BEGIN
  FOREACH ppm IN ARRAY ppms LOOP
    cut := div(rest * ppm + 500000, 1000000);
    found := found || cut::bigint;
    rest := rest - cut;
  END LOOP;
  RETURN found;
END $$;

-- A statement to a sister society is the sum of its lines, and belongs to a journal.
CREATE FUNCTION royalties_check_sister_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong boolean;
BEGIN
  SELECT s.journal_id IS NULL OR s.net + coalesce((SELECT sum(c) FROM unnest(s.cuts) AS c), 0) <> s.gross
         OR (s.holders, s.gross, s.net) IS DISTINCT FROM
            (SELECT count(*)::integer, sum(l.gross)::bigint, sum(l.net)::bigint FROM royalties_sisterline l WHERE l.statement_id = s.id)
    INTO wrong FROM royalties_sisterstatement s WHERE s.id = NEW.id;
  IF wrong THEN
    RAISE EXCEPTION 'statement % to a sister society is not the sum of its lines', NEW.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'sister_statement_is_the_sum_of_its_lines';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER sister_statement_is_the_sum_of_its_lines AFTER INSERT OR UPDATE ON royalties_sisterstatement
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION royalties_check_sister_statement();
