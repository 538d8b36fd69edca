-- Posted pools that would be divided otherwise today, because shares, works or matches are others now than when their money was paid, with the
-- reason. It goes on from `waiting.sql`, and looks at what was noted as changed alone (`royalties_repertoirechange`, rules of matching).
--
-- Only what somebody was paid is looked at. Who has less now was paid too much; who has more and waits is `leftover.sql`'s; where the shares
-- claim more than the whole today, the pool stays until the claimants have settled it. Money paid as compensation is its case's.
), noted AS MATERIALIZED (
  SELECT DISTINCT c.holder_id, coalesce(m.survivor_id, c.work_id) AS now_id
  FROM royalties_repertoirechange c LEFT JOIN licensing_merged m ON m.work_id = c.work_id
  WHERE c.society_id = (SELECT society FROM asked) AND c.holder_id IS NOT NULL
), meant AS MATERIALIZED (
  SELECT now_id, now_id AS work_id FROM noted
  UNION
  SELECT n.now_id, m.work_id FROM noted n JOIN licensing_merged m ON m.survivor_id = n.now_id
), paid AS MATERIALIZED (
  SELECT l.root_id, l.ends, a.work_id, t.now_id, a.scheme, a.value, a.used_on, a.holder_id, a.role, sum(a.ppm) AS ppm
  FROM (SELECT DISTINCT holder_id FROM noted) h
  JOIN royalties_allocation a ON a.holder_id = h.holder_id AND a.run_id IN (SELECT run_id FROM live) AND a.status = 'payable'
  JOIN live l ON l.id = a.pool_id AND NOT l.alone
  JOIN meant t ON t.work_id = a.work_id
  JOIN noted n ON n.holder_id = a.holder_id AND n.now_id = t.now_id
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), compared AS MATERIALIZED (
  SELECT p.*, coalesce(s.ppm, 0) AS now_ppm, s.upto, (SELECT sum(o.ppm) FROM licensing_share o WHERE o.work_id = p.now_id AND o.valid @> p.used_on) AS claimed
  FROM paid p
  LEFT JOIN LATERAL (SELECT sum(s.ppm) AS ppm, min(upper(s.valid)) AS upto FROM licensing_share s
                     WHERE s.work_id = p.now_id AND s.holder_id = p.holder_id AND s.role = p.role AND s.valid @> p.used_on) s ON true
), ended AS MATERIALIZED (
  -- A share that ends between that day and the end of use: the first day of use from then on, unless the work was divided there.
  SELECT c.root_id, c.work_id, c.now_id, c.scheme, c.value, min(u.used_on) AS used_on
  FROM compared c
  JOIN royalties_runpooldeclaration b ON b.pool_id = c.root_id
  JOIN licensing_declareduse u ON u.declaration_id = b.declaration_id AND u.used_on >= c.upto
   AND CASE WHEN c.scheme = '' THEN u.work_id = c.work_id ELSE u.work_id IS NULL AND u.scheme = c.scheme AND u.value = c.value END
  WHERE c.now_ppm >= c.ppm AND c.upto < c.ends
  GROUP BY c.root_id, c.work_id, c.now_id, c.scheme, c.value, c.upto
)
SELECT root_id, CASE WHEN work_id = now_id THEN 'shares' ELSE 'works' END AS reason
FROM compared WHERE now_ppm < ppm AND coalesce(claimed, 0) <= 1000000
UNION
SELECT e.root_id, 'shares'
FROM ended e
WHERE NOT EXISTS (SELECT FROM live l JOIN royalties_allocation a ON a.run_id = l.run_id AND a.pool_id = l.id
                  WHERE l.root_id = e.root_id AND a.work_id = e.work_id AND a.scheme = e.scheme AND a.value = e.value AND a.used_on = e.used_on)
UNION -- what waits, and would be paid, but on days of use whose shares are not all the same
SELECT t.root_id, 'shares'
FROM summed t
JOIN (SELECT root_id, work_id, scheme, value, used_on, max(claimed) AS claimed, sum(ppm) FILTER (WHERE NOT disputed) AS agreed
      FROM recorded GROUP BY 1, 2, 3, 4, 5) c USING (root_id, work_id, scheme, value, used_on)
WHERE NOT t.alone AND c.claimed <= 1000000 AND c.agreed > 1000000 - t.ppm
  AND EXISTS (SELECT FROM licensing_share s WHERE s.work_id = t.now_id
              AND (lower(s.valid) > t.used_on AND lower(s.valid) < t.ends OR upper(s.valid) > t.used_on AND upper(s.valid) < t.ends))
UNION -- a work that stands for itself again, and weighed as another
SELECT DISTINCT l.root_id, 'works'
FROM royalties_repertoirechange c
JOIN licensing_work w ON w.id = c.work_id AND w.merged_into_id IS NULL
CROSS JOIN live l
JOIN royalties_runpooldeclaration b ON b.pool_id = l.id
JOIN licensing_declareduse u ON u.declaration_id = b.declaration_id AND u.work_id = c.work_id AND u.status = 'licensed' AND u.basis = 'licence'
WHERE c.society_id = (SELECT society FROM asked) AND c.what = 'unmerged' AND l.id = l.root_id AND NOT l.alone
  AND NOT EXISTS (SELECT FROM royalties_allocation a WHERE a.run_id = l.run_id AND a.pool_id = l.id AND a.work_id = c.work_id)
UNION -- what an identifier was said to mean when it was released, and does not mean any more
SELECT r.root_id, 'match'
FROM (SELECT DISTINCT l.root_id, a.scheme, a.value, a.work_id
      FROM live l
      JOIN royalties_run n ON n.id = l.run_id
      JOIN royalties_allocation a ON a.run_id = l.run_id AND a.pool_id = l.id AND a.scheme <> '' AND a.work_id IS NOT NULL
      JOIN licensing_matchrule m ON m.society_id = (SELECT society FROM asked) AND m.scheme = a.scheme AND m.value = a.value
       AND greatest(m.made_at, m.withdrawn_at) > n.computed_at
      WHERE l.id <> l.root_id AND NOT l.alone) r
WHERE licensing_meaning((SELECT society FROM asked), r.scheme, r.value) IS DISTINCT FROM licensing_survivor(r.work_id)
