-- What stands of posted runs, and what waits in them for its shares: `leftover.sql` releases it, `affected.sql` finds what is to be divided
-- anew. Read before either of them.
--
-- Parameters  society, currency, run (what this run has itself taken counts as waiting), root pools to leave out
WITH asked AS MATERIALIZED (
  SELECT %s::bigint AS society, %s::text AS currency, %s::bigint AS run, %s::bigint[] AS without
), pool AS MATERIALIZED (
  SELECT p.id, p.run_id, royalties_root(p.id) AS root_id
  FROM royalties_run r JOIN royalties_runpool p ON p.run_id = r.id
  WHERE r.society_id = (SELECT society FROM asked) AND r.currency = (SELECT currency FROM asked) AND r.status IN ('posted', 'published')
), live AS MATERIALIZED (
  SELECT p.id, p.run_id, p.root_id, upper(i.period) AS ends, i.kind = 'compensation' AS alone, c.holder_id AS only_holder
  FROM pool p
  JOIN royalties_runpool o ON o.id = p.root_id
  JOIN royalties_invoice i ON i.id = o.invoice_id
  LEFT JOIN licensing_case c ON c.id = i.case_id
  WHERE p.root_id <> ALL((SELECT without FROM asked)::bigint[])
    AND NOT EXISTS (SELECT FROM royalties_runcorrection k JOIN royalties_runpool q ON q.id = k.pool_id
                    WHERE k.corrected_id = p.root_id AND k.active AND q.run_id <> (SELECT run FROM asked))
), waiting AS MATERIALIZED (
  -- What stands of each set. What has expired, or another run is taking, is there and cannot be given; what came to nothing, too.
  SELECT a.id, a.pool_id, l.root_id, l.ends, l.alone, l.only_holder, a.work_id, coalesce(m.survivor_id, a.work_id) AS now_id, a.scheme, a.value, a.used_on,
         a.holder_id, a.role, a.weight, a.work_amount, a.set_amount, a.amount, CASE WHEN a.reason = 'overclaimed' THEN 1000000 ELSE a.ppm END AS ppm,
         a.amount > 0 AND x.run_id IS NULL AND NOT EXISTS (SELECT FROM royalties_expiredallocation e WHERE e.allocation_id = a.id) AS free
  FROM live l
  JOIN royalties_allocation a ON a.run_id = l.run_id AND a.pool_id = l.id
  LEFT JOIN licensing_merged m ON m.work_id = a.work_id
  LEFT JOIN (SELECT x.allocation_id, q.run_id, t.status FROM royalties_runrelease x JOIN royalties_runpool q ON q.id = x.pool_id
             JOIN royalties_run t ON t.id = q.run_id WHERE x.active AND t.id <> (SELECT run FROM asked)) x ON x.allocation_id = a.id
  WHERE a.status <> 'payable' AND a.reason IN ('no_share', 'overclaimed', 'disputed') AND a.work_id IS NOT NULL
    AND (x.status IS NULL OR x.status NOT IN ('posted', 'published'))
), summed AS MATERIALIZED (
  SELECT root_id, work_id, scheme, value, used_on, min(now_id) AS now_id, min(ends) AS ends, bool_or(alone) AS alone, min(only_holder) AS only_holder,
         sum(ppm) AS ppm
  FROM waiting GROUP BY 1, 2, 3, 4, 5 HAVING bool_or(free)
), recorded AS MATERIALIZED (
  -- The shares of the day, as they are now; of compensation the holder's of its case alone, who has the whole.
  SELECT t.root_id, t.work_id, t.scheme, t.value, t.used_on, s.holder_id, s.role, s.ppm, s.disputed, sum(s.ppm) OVER same AS claimed
  FROM summed t JOIN licensing_share s ON s.work_id = t.now_id AND s.valid @> t.used_on
  WINDOW same AS (PARTITION BY t.root_id, t.work_id, t.scheme, t.value, t.used_on)
