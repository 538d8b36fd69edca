-- What published distributions paid these holders for uses: one row a run, licensee and use.
-- Where a work was used in several ways in one pool, its amount is divided by what each use weighed under the run's rule. What was
-- released is for the uses of the identifier that it waited under; what was divided anew counts as it was divided last.
WITH mine AS (
  SELECT a.run_id, a.pool_id, a.work_id, a.scheme, a.value, SUM(a.amount) AS amount
  FROM royalties_allocation a
  WHERE a.holder_id = ANY(%(holders)s) AND a.run_id = ANY(%(runs)s) AND a.work_id IS NOT NULL AND a.status = 'payable'
  GROUP BY a.run_id, a.pool_id, a.work_id, a.scheme, a.value
), used AS (
  SELECT m.run_id, m.pool_id, m.work_id, m.scheme, m.value, m.amount, p.invoice_id, u.use,
         SUM(w.weight) AS weight,
         SUM(w.weight) FILTER (
           WHERE (%(kinds)s::varchar[] IS NULL OR u.kind = ANY(%(kinds)s)) AND u.used_on <@ %(valid)s::daterange) AS counted
  FROM mine m
  JOIN royalties_runpool p ON p.id = m.pool_id
  LEFT JOIN royalties_runpool o ON o.id = p.origin_id
  JOIN royalties_run n ON n.id = coalesce(o.run_id, m.run_id)
  JOIN royalties_rule r ON r.id = n.rule_id
  JOIN royalties_runpooldeclaration b ON b.pool_id = CASE WHEN p.kind = 'release' THEN o.id ELSE p.id END
  JOIN licensing_declareduse u ON u.declaration_id = b.declaration_id
   AND CASE WHEN p.kind = 'release' THEN u.work_id IS NULL AND u.scheme = m.scheme AND u.value = m.value ELSE u.work_id = m.work_id END
  CROSS JOIN LATERAL (SELECT u.units * COALESCE((r.document->'use_weights'->>u.use)::numeric, 0)
                                     * COALESCE((r.document->'unit_weights'->>u.unit)::numeric, 1)
                                     * COALESCE((r.document->'kind_points'->>u.kind)::numeric, 1) AS weight) w
  WHERE (u.status = 'licensed' AND u.basis = 'licence' OR p.kind = 'release' AND u.status = 'unmatched')
    AND NOT EXISTS (SELECT FROM royalties_runcorrection c
                    WHERE c.active AND c.corrected_id = CASE WHEN p.kind = 'release' THEN o.id ELSE p.id END)
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
