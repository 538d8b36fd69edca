-- What was ordered stays as it was ordered: who, how much, into which account, under which end-to-end id.

CREATE FUNCTION royalties_payment_stays() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'Payment % was ordered: its facts stay as they are.', OLD.end_to_end_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_stays_as_ordered';
END $$;

CREATE TRIGGER payment_stays_as_ordered BEFORE UPDATE ON royalties_payment FOR EACH ROW
  WHEN (OLD.status NOT IN ('planned', 'discarded') AND (
    NEW.status IN ('planned', 'discarded')
    OR (OLD.status IN ('rejected', 'returned') AND NEW.status <> OLD.status)
    OR (OLD.batch_id, OLD.society_id, OLD.holder_id, OLD.position, OLD.details_id, OLD.end_to_end_id, OLD.currency,
        OLD.gross, OLD.withheld, OLD.net, OLD.brought_forward, OLD.taxes, OLD.execute_on)
       IS DISTINCT FROM
       (NEW.batch_id, NEW.society_id, NEW.holder_id, NEW.position, NEW.details_id, NEW.end_to_end_id, NEW.currency,
        NEW.gross, NEW.withheld, NEW.net, NEW.brought_forward, NEW.taxes, NEW.execute_on)))
  EXECUTE FUNCTION royalties_payment_stays();
CREATE TRIGGER payment_is_not_deleted BEFORE DELETE ON royalties_payment FOR EACH ROW
  WHEN (OLD.status NOT IN ('planned', 'discarded'))
  EXECUTE FUNCTION royalties_payment_stays();
ALTER TABLE royalties_payment ENABLE ALWAYS TRIGGER payment_stays_as_ordered;
ALTER TABLE royalties_payment ENABLE ALWAYS TRIGGER payment_is_not_deleted;

-- Each tax line of each payment, as rows: for the journal, for `verify` and for the year's reports.
CREATE VIEW royalties_paymenttax AS
  SELECT p.id AS payment_id, p.batch_id, p.society_id, p.holder_id, p.currency, p.status, p.execute_on,
         t.place::integer AS place, t.line ->> 'name' AS name, (t.line ->> 'base')::bigint AS base,
         t.line ->> 'rate' AS rate, (t.line ->> 'amount')::bigint AS amount
  FROM royalties_payment p, jsonb_array_elements(p.taxes) WITH ORDINALITY AS t (line, place);
