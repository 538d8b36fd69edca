-- What published distributions paid these holders for uses: one row a run, licensee and use.
-- Where a work was used in several ways in one pool, its amount is divided by what each use weighed: under the rule of the run in which
-- the money was new, however often it was divided anew since, and with the uses of the works that were this one then. What was released is
-- for the uses that weighed where it waited first. What was divided anew counts as it was divided last.
WITH mine AS MATERIALIZED (
  SELECT a.run_id, a.pool_id, a.work_id, a.scheme, a.value, SUM(a.amount) AS amount
  FROM royalties_allocation a
  WHERE a.holder_id = ANY(%(holders)s) AND a.run_id = ANY(%(runs)s) AND a.work_id IS NOT NULL AND a.status = 'payable'
  GROUP BY a.run_id, a.pool_id, a.work_id, a.scheme, a.value
), pool AS MATERIALIZED (
  SELECT p.id, p.invoice_id, o.id AS root_id, o.run_id AS root_run_id, r.document
  FROM (SELECT DISTINCT pool_id FROM mine) m
  JOIN royalties_runpool p ON p.id = m.pool_id
  JOIN royalties_runpool o ON o.id = royalties_root(p.id)
  CROSS JOIN LATERAL (
    WITH RECURSIVE up AS (
      SELECT o.origin_id, o.run_id
      UNION ALL
      SELECT n.origin_id, n.run_id FROM up JOIN royalties_runpool n ON n.id = up.origin_id)
    SELECT run_id FROM up WHERE origin_id IS NULL) f
  JOIN royalties_run n ON n.id = f.run_id
  JOIN royalties_rule r ON r.id = n.rule_id
  WHERE NOT EXISTS (SELECT FROM royalties_runcorrection c WHERE c.active AND c.corrected_id = o.id)
), named AS MATERIALIZED (
  -- A work with those that were merged into it, but for such as had a part of the pool of their own.
  SELECT m.pool_id, m.work_id, m.work_id AS declared_id FROM mine m WHERE m.scheme = ''
  UNION
  SELECT m.pool_id, m.work_id, g.work_id
  FROM mine m
  JOIN pool p ON p.id = m.pool_id
  JOIN licensing_merged g ON g.survivor_id = m.work_id
  WHERE m.scheme = '' AND NOT EXISTS (SELECT FROM royalties_allocation a
                                      WHERE a.run_id = p.root_run_id AND a.pool_id = p.root_id AND a.work_id = g.work_id)
), weighed AS (
  SELECT n.pool_id, n.work_id, '' AS scheme, '' AS value, u.use, u.unit, u.kind, u.used_on, u.units
  FROM named n
  JOIN pool p ON p.id = n.pool_id
  JOIN royalties_runpooldeclaration b ON b.pool_id = p.root_id
  JOIN licensing_declareduse u ON u.declaration_id = b.declaration_id AND u.work_id = n.declared_id AND u.status = 'licensed' AND u.basis = 'licence'
  UNION ALL
  SELECT m.pool_id, m.work_id, m.scheme, m.value, u.use, u.unit, u.kind, u.used_on, u.units
  FROM mine m
  JOIN pool p ON p.id = m.pool_id
  JOIN royalties_runpooldeclaration b ON b.pool_id = p.root_id
  JOIN licensing_declareduse u ON u.declaration_id = b.declaration_id AND u.work_id IS NULL AND u.scheme = m.scheme AND u.value = m.value
   AND u.status = 'unmatched'
  WHERE m.scheme <> ''
), used AS (
  SELECT m.run_id, m.pool_id, m.work_id, m.scheme, m.value, m.amount, p.invoice_id, u.use,
         SUM(w.weight) AS weight,
         SUM(w.weight) FILTER (
           WHERE (%(kinds)s::varchar[] IS NULL OR u.kind = ANY(%(kinds)s)) AND u.used_on <@ %(valid)s::daterange) AS counted
  FROM mine m
  JOIN pool p ON p.id = m.pool_id
  JOIN weighed u ON u.pool_id = m.pool_id AND u.work_id = m.work_id AND u.scheme = m.scheme AND u.value = m.value
  CROSS JOIN LATERAL (SELECT u.units * COALESCE((p.document->'use_weights'->>u.use)::numeric, 0)
                                     * COALESCE((p.document->'unit_weights'->>u.unit)::numeric, 1)
                                     * COALESCE((p.document->'kind_points'->>u.kind)::numeric, 1) AS weight) w
  GROUP BY m.run_id, m.pool_id, m.work_id, m.scheme, m.value, m.amount, p.invoice_id, u.use
), parted AS (
  SELECT run_id, invoice_id, work_id, use, counted,
         amount * counted / NULLIF(SUM(weight) OVER (PARTITION BY pool_id, work_id, scheme, value), 0) AS amount
  FROM used
)
SELECT n.period, n.currency, i.licensee_id, x.use, COUNT(DISTINCT x.work_id) AS works, FLOOR(SUM(x.amount)) AS amount
FROM parted x
JOIN royalties_run n ON n.id = x.run_id
JOIN royalties_invoice i ON i.id = x.invoice_id
WHERE x.counted > 0 AND x.use = ANY(%(uses)s)
GROUP BY n.id, n.period, n.currency, i.licensee_id, x.use
ORDER BY n.period, n.id, i.licensee_id, x.use
