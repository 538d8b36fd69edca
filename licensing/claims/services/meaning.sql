-- What the items of a society's queue are today, from its rules and its register (matching/meaning.sql): `refused` where a rule says that
-- the value means nothing of the society's, `matched` where it means a work, else `open`. On PostgreSQL, as a subquery.
-- %(society)s: the society's id. %(only)s: these items' ids alone, or NULL for all.
SELECT s.id, s.status, s.rule_id,
       s.status = 'open' AND s.scheme = 'several' AND (
         SELECT count(DISTINCT licensing_meaning(%(society)s, split_part(one, ':', 1),
                  replace(replace(substr(one, strpos(one, ':') + 1), '%%3B', ';'), '%%25', '%%'))) > 1
         FROM unnest(string_to_array(s.value, ';')) o(one)) AS conflict
FROM (SELECT i.id, i.scheme, i.value, r.id AS rule_id,
             CASE WHEN r.id IS NOT NULL AND r.work_id IS NULL THEN 'refused'
                  WHEN licensing_meaning(%(society)s, i.scheme, i.value) IS NOT NULL THEN 'matched' ELSE 'open' END AS status
      FROM licensing_unmatched i
      LEFT JOIN licensing_matchrule r ON r.society_id = i.society_id AND r.scheme = i.scheme AND r.value = i.value
                                     AND r.withdrawn_at IS NULL
      WHERE i.society_id = %(society)s AND (%(only)s::bigint[] IS NULL OR i.id = ANY(%(only)s::bigint[]))) s
