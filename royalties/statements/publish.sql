-- One statement a holder of the run, from its allocations. Numbers follow the holders' refs in UTF-8 byte order; the digest
-- covers every line that the statement lists, by refs and figures, in key order: a holder's allocations were stored in that
-- order, so their ids follow it. Parameters: run, moment, prefix of the number.
INSERT INTO royalties_statement (society_id, run_id, holder_id, number, currency, payable, held, works, lines, digest, published_at)
SELECT r.society_id, r.id, s.holder_id,
       %(prefix)s || lpad((row_number() OVER (ORDER BY h.ref COLLATE "C"))::text, 6, '0'),
       r.currency, s.payable, s.held, s.works, s.lines, s.digest, %(moment)s
FROM (
  SELECT a.holder_id,
         coalesce(sum(a.amount) FILTER (WHERE a.status = 'payable'), 0) AS payable,
         coalesce(sum(a.amount) FILTER (WHERE a.status = 'held'), 0) AS held,
         count(DISTINCT a.work_id) AS works,
         count(*) AS lines,
         encode(sha256(convert_to(string_agg(
           concat_ws(' ', i.number, length(w.ref), w.ref, length(a.role), a.role, a.used_on, a.ppm, a.weight, a.work_amount, a.amount, a.status, a.reason,
                    nullif(concat_ws(':', nullif(a.scheme, ''), nullif(a.value, '')), '')),
           E'\n' ORDER BY a.id), 'UTF8')), 'hex') AS digest
  FROM royalties_allocation a
  JOIN royalties_runpool p ON p.id = a.pool_id
  JOIN royalties_invoice i ON i.id = p.invoice_id
  JOIN licensing_work w ON w.id = a.work_id
  WHERE a.run_id = %(run)s AND a.holder_id IS NOT NULL
  GROUP BY a.holder_id
  UNION ALL -- who had something of a pool that was divided anew, and has nothing of it now
  SELECT DISTINCT t.holder_id, 0::numeric, 0::numeric, 0::bigint, 0::bigint, encode(sha256(''::bytea), 'hex')
  FROM royalties_takenback t
  WHERE t.correction_run_id = %(run)s AND t.holder_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM royalties_allocation a WHERE a.run_id = %(run)s AND a.holder_id = t.holder_id)
) s
JOIN licensing_holder h ON h.id = s.holder_id
JOIN royalties_run r ON r.id = %(run)s
