-- Money that moves a second time, as pools for `weigh.sql` and `allocate.sql`: each part of a released amount under one verdict, all
-- of it the work's; and pools of earlier runs that the declarations of now divide anew.
--
-- Inputs   suspended, judged_use                   from `released.sql`
--          judged_amount(allocation_id, reason, amount)                 each amount among its verdicts
--          corrected_use(origin, work_id, scheme, value, used_on, weight), corrected_pool(origin, equal_part, rest)
--          registered_work(work_id, ref)
-- Output   moved_part(pool, origin, allocation_id, scheme, value, reason), declared, pool

-- step moved_part: a pool each; a corrected pool has the number of its origin below zero
SELECT j.allocation_id * 8 + CASE j.reason WHEN 'reserved' THEN 1 WHEN 'unmandated' THEN 2 WHEN 'unlicensed' THEN 3 WHEN 'free' THEN 4
                                           WHEN 'individual' THEN 5 ELSE 0 END AS pool, s.origin, s.allocation_id, s.work_id, s.scheme, s.value,
       j.reason, j.amount
FROM judged_amount j
JOIN suspended s ON s.allocation_id = j.allocation_id;

-- step declared: what weighs in each
SELECT p.pool, w.ref AS key, p.work_id, '' AS scheme, '' AS value, 'other' AS kind, 'moved' AS "use", 'moved' AS unit, u.used_on,
       CAST(SUM(u.weight) AS DECIMAL(38,0)) AS units
FROM moved_part p
JOIN judged_use u ON u.allocation_id = p.allocation_id AND u.reason = p.reason
JOIN registered_work w ON w.work_id = p.work_id
GROUP BY p.pool, w.ref, p.work_id, u.used_on
UNION ALL
SELECT -c.origin, CASE WHEN c.work_id IS NULL THEN CONCAT(c.scheme, ':', c.value) ELSE w.ref END, c.work_id, c.scheme, c.value,
       'other', 'moved', 'moved', c.used_on, CAST(SUM(c.weight) AS DECIMAL(38,0))
FROM corrected_use c
LEFT JOIN registered_work w ON w.work_id = c.work_id
GROUP BY c.origin, w.ref, c.work_id, c.scheme, c.value, c.used_on;

-- step pool: a released part goes to its one work whole
SELECT pool, '' AS number, amount AS equal_part, CAST(0 AS BIGINT) AS rest FROM moved_part
UNION ALL
SELECT -origin, '', equal_part, rest FROM corrected_pool;
