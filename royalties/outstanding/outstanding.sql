-- Clocks over many rows: what `outstanding/core.py` says of one, in the same words.

-- The first day after a term of months that begins on `start`; where that month has no such day, it ends with its last one.
CREATE FUNCTION royalties_months_after(start date, months int) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN extract(day FROM start + make_interval(months => months)) = extract(day FROM start)
              THEN (start + make_interval(months => months))::date
              ELSE (start + make_interval(months => months))::date + 1 END
$$;

-- The first day of the financial year after the one in which a day lies; the year ends with the month `end_month`.
CREATE FUNCTION royalties_year_after(day date, end_month int) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT make_date(extract(year FROM day)::int + CASE WHEN extract(month FROM day) > end_month THEN 1 ELSE 0 END + end_month / 12,
                   end_month % 12 + 1, 1)
$$;

-- For every pool of new money and every reason: when it was collected (the last receipt counts, in favour of the holder) and allocated,
-- and the clock that governs it: law before own terms, what is named before what is general. No rule: no clock.
CREATE VIEW royalties_poolclock AS
SELECT p.id AS pool_id, x.reason, c.collected_on, (r.posted_at AT TIME ZONE 'Asia/Seoul')::date AS allocated_on,
       t.id AS terms_id, t.year_end_month, u.id AS rule_id, u.name AS rule, u.starts_from, u.pay, u.inform, u.publish, u.expire
FROM royalties_runpool p
JOIN royalties_run r ON r.id = p.run_id AND r.status IN ('posted', 'published')
JOIN royalties_invoice i ON i.id = p.invoice_id
CROSS JOIN LATERAL (
  SELECT coalesce(max(v.received_on), (r.posted_at AT TIME ZONE 'Asia/Seoul')::date) AS collected_on
  FROM royalties_runreceipt e JOIN royalties_receipt v ON v.id = e.receipt_id WHERE e.pool_id = p.id) c
LEFT JOIN licensing_licence l ON l.id = i.licence_id
LEFT JOIN licensing_tariff f ON f.id = l.tariff_id
LEFT JOIN royalties_clockterms t ON t.society_id = r.society_id AND t.status = 'approved' AND t.valid @> c.collected_on
CROSS JOIN (VALUES ('unmatched'), ('no_share'), ('overclaimed'), ('disputed'), ('reserved'), ('unmandated'), ('unlicensed'), ('free'),
                   ('individual')) x (reason)
LEFT JOIN LATERAL (
  SELECT k.* FROM royalties_clockrule k
  WHERE k.jurisdiction = t.jurisdiction AND (k.terms_id IS NULL OR k.terms_id = t.id) AND k.valid @> c.collected_on
    AND k.reason IN ('*', x.reason)
    AND k.basis IN ('*', CASE WHEN t.remuneration_tariffs ? f.ref THEN 'remuneration' ELSE 'collective' END)
  ORDER BY k.terms_id IS NOT NULL, k.basis = '*', k.reason = '*' LIMIT 1) u ON true
WHERE p.kind = 'receipts';

-- What is held or in suspense now, each with its clock. Days are the first on which a term is over; none: no such step, or not started.
CREATE VIEW royalties_outstandingclock AS
SELECT s.*, royalties_months_after(s.starts_on, s.pay) AS pay_by, royalties_months_after(s.starts_on, s.inform) AS inform_by,
       royalties_months_after(s.starts_on, s.publish) AS publish_by, royalties_months_after(s.starts_on, s.expire) AS expires_on
FROM (
  SELECT o.*, c.collected_on, c.allocated_on, n.noticed_on, c.rule_id, c.rule, c.starts_from, c.pay, c.inform, c.publish, c.expire,
         CASE c.starts_from WHEN 'year_end' THEN royalties_year_after(c.collected_on, c.year_end_month)
                            WHEN 'allocation' THEN c.allocated_on + 1
                            WHEN 'notice' THEN n.noticed_on + 1 END AS starts_on
  FROM royalties_outstandingallocation o
  LEFT JOIN royalties_poolclock c ON c.pool_id = o.first_pool_id AND c.reason = o.reason
  LEFT JOIN royalties_noticedallocation n ON n.allocation_id = o.allocation_id
) s;

-- What was published, warned of, attempted and resolved stays as it was.
CREATE FUNCTION royalties_outstanding_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: it is kept as it was', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_publicnotice
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_noticeentry
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_noticedallocation
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_expirywarning
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_warnedallocation
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_attempt
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON royalties_resolutionallocation
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON royalties_resolution
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON royalties_clockterms
  FOR EACH STATEMENT EXECUTE FUNCTION royalties_outstanding_stays();

CREATE FUNCTION royalties_resolution_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status <> 'requested' OR (to_jsonb(NEW) - '{status,decided_by,decided_at,journal_id}'::text[])
     IS DISTINCT FROM (to_jsonb(OLD) - '{status,decided_by,decided_at,journal_id}'::text[]) THEN
    RAISE EXCEPTION 'A resolution stays as it was asked for and decided.' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stays_as_decided BEFORE UPDATE ON royalties_resolution FOR EACH ROW EXECUTE FUNCTION royalties_resolution_stays();
