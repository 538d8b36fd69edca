-- Exact allocation: pool → works and unmatched identifiers → sets of shares by day of use → holders.
-- One text for every engine: only * - % and divisions whose result is an integer. DuckDB divides decimals as DOUBLE: the guards
-- (rest × total weight < 1e37, every quota < 1e15) keep its error below 1/2, so that ROUND is right. `compute.py` asserts them.
--
-- Each division is by largest remainder (Hamilton): q = floor(P*w/W), r = P*w mod W; the P - sum(q) units left over go one each
-- to the largest r, ties to the smallest key. Sums are exact; neither row order nor ids nor threads move a unit.
--
-- Inputs   use_day, unit, weighed, holder             from weigh.sql, and share
--          case_pool(pool, holder_id, holder_ref)     pools of compensation: one holder's alone, whoever has shares of the works
--          pool(pool, equal_part, rest)               minor units; equal_part + rest = distributable
-- Output   allocation(pool, seq, key, used_on, place, work_id, scheme, value, holder_id, role, ppm, weight, work_amount, set_amount,
--                     amount, status, reason)
--              place orders the parts of a set; amounts of a pool sum to its distributable

-- step unit_quota: floor quota and remainder of each unit, by weight
SELECT pool, seq, total_weight, rest, equal_part, units,
       CAST(product % total_weight AS DECIMAL(38,0)) AS remainder,
       CAST(ROUND((product - product % total_weight) / total_weight) AS BIGINT) AS quota
FROM (
  SELECT u.pool, u.seq, p.rest, p.equal_part, t.units,
         CASE WHEN t.total_weight = 0 THEN CAST(1 AS DECIMAL(38,0)) ELSE t.total_weight END AS total_weight,
         CAST(u.weight * CAST(p.rest AS DECIMAL(38,0)) AS DECIMAL(38,0)) AS product
  FROM unit u
  JOIN weighed t ON t.pool = u.pool
  JOIN pool p ON p.pool = u.pool
) x;

-- step left_over: what the floors leave of each pool
SELECT pool, CAST(MAX(rest) - SUM(quota) AS BIGINT) AS left_over,
       CAST(ROUND((MAX(equal_part) - MAX(equal_part) % MAX(units)) / MAX(units)) AS BIGINT) AS equal_quota,
       MAX(equal_part) % MAX(units) AS equal_left_over
FROM unit_quota
GROUP BY pool;

-- step unit_amount: the weighted part and the equal part of each unit; equal remainders all tie, so the first keys have them
SELECT q.pool, q.seq,
       q.quota + CASE WHEN q.rank <= l.left_over THEN 1 ELSE 0 END
       + l.equal_quota + CASE WHEN q.seq <= l.equal_left_over THEN 1 ELSE 0 END AS amount
FROM (
  SELECT pool, seq, quota, ROW_NUMBER() OVER (PARTITION BY pool ORDER BY remainder DESC, seq) AS rank
  FROM unit_quota
) q
JOIN left_over l ON l.pool = q.pool;

-- step divided: works whose shares may change between their first and their last day of use
SELECT DISTINCT u.pool, u.seq
FROM unit u
JOIN share s ON s.work_id = u.work_id
LEFT JOIN case_pool c ON c.pool = u.pool
WHERE c.pool IS NULL AND u.first_day < u.last_day
  AND ((s.valid_from > u.first_day AND s.valid_from <= u.last_day) OR (s.valid_to > u.first_day AND s.valid_to <= u.last_day));

-- step day_claims: for those, who held what on each day
SELECT d.pool, d.seq, d.used_on, d.weight,
       COALESCE(join_ordered(array_agg(s.claim) FILTER (WHERE s.claim IS NOT NULL), 0, ','), '') AS claims
FROM (
  SELECT u.pool, u.seq, u.work_id, y.used_on, y.weight
  FROM divided v
  JOIN unit u ON u.pool = v.pool AND u.seq = v.seq
  JOIN use_day y ON y.pool = u.pool AND y.work_id = u.work_id
) d
LEFT JOIN (
  SELECT work_id, valid_from, valid_to,
         CONCAT(LENGTH(holder_ref), ':', holder_ref, ':', LENGTH(role), ':', role, ':', ppm, ':', CASE WHEN disputed THEN 1 ELSE 0 END) AS claim
  FROM share
) s ON s.work_id = d.work_id AND s.valid_from <= d.used_on AND s.valid_to > d.used_on
GROUP BY d.pool, d.seq, d.used_on, d.weight;

-- step divided_set: days with the same shares form one set, named by its first day
SELECT pool, seq, MIN(used_on) AS used_on, CAST(SUM(weight) AS DECIMAL(38,0)) AS weight
FROM day_claims
GROUP BY pool, seq, claims;

-- step divided_quota: the work's amount among its sets, by weight (equally where nothing weighs)
SELECT pool, seq, used_on, amount,
       CAST(product % total_weight AS DECIMAL(38,0)) AS remainder,
       CAST(ROUND((product - product % total_weight) / total_weight) AS BIGINT) AS quota
FROM (
  SELECT d.pool, d.seq, d.used_on, a.amount,
         CASE WHEN u.weight = 0 THEN CAST(COUNT(*) OVER (PARTITION BY d.pool, d.seq) AS DECIMAL(38,0)) ELSE u.weight END AS total_weight,
         CAST(CASE WHEN u.weight = 0 THEN CAST(1 AS DECIMAL(38,0)) ELSE d.weight END * CAST(a.amount AS DECIMAL(38,0)) AS DECIMAL(38,0)) AS product
  FROM divided_set d
  JOIN unit u ON u.pool = d.pool AND u.seq = d.seq
  JOIN unit_amount a ON a.pool = d.pool AND a.seq = d.seq
) x;

-- step share_set: one set a work, or its several; ties go to the earlier day
SELECT u.pool, u.seq, u.work_id, u.first_day AS used_on, a.amount
FROM unit u
JOIN unit_amount a ON a.pool = u.pool AND a.seq = u.seq
LEFT JOIN divided v ON v.pool = u.pool AND v.seq = u.seq
WHERE u.work_id IS NOT NULL AND v.seq IS NULL
UNION ALL
SELECT q.pool, q.seq, u.work_id, q.used_on, q.quota + CASE WHEN q.rank <= q.left_over THEN 1 ELSE 0 END AS amount
FROM (
  SELECT pool, seq, used_on, quota,
         ROW_NUMBER() OVER (PARTITION BY pool, seq ORDER BY remainder DESC, used_on) AS rank,
         CAST(amount - SUM(quota) OVER (PARTITION BY pool, seq) AS BIGINT) AS left_over
  FROM divided_quota
) q
JOIN unit u ON u.pool = q.pool AND u.seq = q.seq;

-- step case_claim: of works in pools of compensation: the most that was claimed of them on a day of use, and whether the holder's own
-- share was disputed then. What is disputed is held as any share is, whoever asks for it.
SELECT pool, seq, MAX(claimed) AS claimed, MAX(disputed) AS disputed
FROM (
  SELECT u.pool, u.seq, y.used_on, CAST(SUM(s.ppm) AS BIGINT) AS claimed,
         MAX(CASE WHEN s.disputed AND s.holder_id = c.holder_id THEN 1 ELSE 0 END) AS disputed
  FROM unit u
  JOIN case_pool c ON c.pool = u.pool
  JOIN use_day y ON y.pool = u.pool AND y.work_id = u.work_id
  JOIN share s ON s.work_id = u.work_id AND s.valid_from <= y.used_on AND s.valid_to > y.used_on
  GROUP BY u.pool, u.seq, y.used_on
) x
GROUP BY pool, seq;

-- step claim: the shares of each set, or who alone has it as compensation; place follows holder_ref, then role
SELECT pool, seq, used_on, amount, holder_id, role, ppm, disputed, claimed,
       ROW_NUMBER() OVER (PARTITION BY pool, seq, used_on ORDER BY holder_seq, role) AS place
FROM (
  SELECT t.pool, t.seq, t.used_on, t.amount, s.holder_id, s.holder_seq, s.role, s.ppm, s.disputed,
         CAST(SUM(s.ppm) OVER (PARTITION BY t.pool, t.seq, t.used_on) AS BIGINT) AS claimed
  FROM share_set t
  JOIN share s ON s.work_id = t.work_id AND s.valid_from <= t.used_on AND s.valid_to > t.used_on
  LEFT JOIN case_pool c ON c.pool = t.pool
  WHERE c.pool IS NULL
  UNION ALL
  SELECT t.pool, t.seq, t.used_on, t.amount, c.holder_id, h.holder_seq, '' AS role, 1000000 AS ppm, COALESCE(k.disputed, 0) = 1 AS disputed,
         CASE WHEN COALESCE(k.claimed, 0) > 1000000 THEN k.claimed ELSE CAST(1000000 AS BIGINT) END AS claimed
  FROM share_set t
  JOIN case_pool c ON c.pool = t.pool
  JOIN holder h ON h.holder_id = c.holder_id
  LEFT JOIN case_claim k ON k.pool = t.pool AND k.seq = t.seq
) x;

-- step part: shares; what no share claims (last); a work claimed more than whole (held as one)
SELECT pool, seq, used_on, place, amount, holder_id, role, ppm, ppm AS portion,
       CASE WHEN disputed THEN 'held' ELSE 'payable' END AS status, CASE WHEN disputed THEN 'disputed' ELSE '' END AS reason
FROM claim
WHERE claimed <= 1000000
UNION ALL
SELECT t.pool, t.seq, t.used_on, CAST(1000000 AS BIGINT) AS place, t.amount, CAST(NULL AS BIGINT) AS holder_id, '' AS role,
       CASE WHEN COALESCE(c.claimed, 0) > 1000000 THEN 0 ELSE 1000000 - COALESCE(c.claimed, 0) END AS ppm,
       CASE WHEN COALESCE(c.claimed, 0) > 1000000 THEN 1000000 ELSE 1000000 - COALESCE(c.claimed, 0) END AS portion,
       CASE WHEN COALESCE(c.claimed, 0) > 1000000 THEN 'held' ELSE 'suspense' END AS status,
       CASE WHEN COALESCE(c.claimed, 0) > 1000000 THEN 'overclaimed' ELSE 'no_share' END AS reason
FROM share_set t
LEFT JOIN claim c ON c.pool = t.pool AND c.seq = t.seq AND c.used_on = t.used_on AND c.place = 1
WHERE COALESCE(c.claimed, 0) <> 1000000;

-- step part_amount: the same rule inside each set, over its parts
SELECT pool, seq, used_on, place, holder_id, role, ppm, status, reason, amount AS set_amount,
       quota + CASE WHEN rank <= left_over THEN 1 ELSE 0 END AS amount
FROM (
  SELECT pool, seq, used_on, place, holder_id, role, ppm, status, reason, amount, quota,
         CAST(amount - SUM(quota) OVER (PARTITION BY pool, seq, used_on) AS BIGINT) AS left_over,
         ROW_NUMBER() OVER (PARTITION BY pool, seq, used_on ORDER BY remainder DESC, place) AS rank
  FROM (
    SELECT pool, seq, used_on, place, holder_id, role, ppm, status, reason, amount,
           CAST(product % 1000000 AS DECIMAL(38,0)) AS remainder,
           CAST(ROUND((product - product % 1000000) / 1000000) AS BIGINT) AS quota
    FROM (
      SELECT pool, seq, used_on, place, holder_id, role, ppm, status, reason, amount,
             CAST(CAST(amount AS DECIMAL(38,0)) * CAST(portion AS DECIMAL(38,0)) AS DECIMAL(38,0)) AS product
      FROM part
    ) a
  ) b
) c;

-- step allocation: every part with what explains it; unmatched identifiers wait in suspense
SELECT u.pool, u.seq, u.key, x.used_on, x.place, u.work_id, u.scheme, u.value, x.holder_id, x.role, x.ppm,
       u.weight, a.amount AS work_amount, x.set_amount, x.amount, x.status, x.reason
FROM (
  SELECT pool, seq, used_on, place, holder_id, role, ppm, status, reason, set_amount, amount FROM part_amount
  UNION ALL
  SELECT u.pool, u.seq, u.first_day, CAST(0 AS BIGINT), CAST(NULL AS BIGINT), '', 0, 'suspense', 'unmatched', a.amount, a.amount
  FROM unit u
  JOIN unit_amount a ON a.pool = u.pool AND a.seq = u.seq
  WHERE u.work_id IS NULL
) x
JOIN unit u ON u.pool = x.pool AND u.seq = x.seq
JOIN unit_amount a ON a.pool = x.pool AND a.seq = x.seq;
