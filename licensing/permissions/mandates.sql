-- No two mandates of a holder cover the same use, kind, place and day. Sets of codes become sets of points on a line, so that
-- plain GiST (multirange_ops) can compare them for a common element; {*} becomes the whole line.
CREATE FUNCTION code_points(codes text[]) RETURNS int8multirange LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN '*' = ANY (codes) THEN '{(,)}'::int8multirange
              ELSE (SELECT range_agg(int8range(p, p, '[]')) FROM (SELECT hashtextextended(c, 0) AS p FROM unnest(codes) AS c) points) END
$$;
ALTER TABLE licensing_mandate ADD CONSTRAINT mandate_covers_a_use_once_a_day EXCLUDE USING gist (
  int8range(holder_id, holder_id, '[]') WITH &&,
  code_points(uses::text[]) WITH &&,
  code_points(kinds::text[]) WITH &&,
  code_points(territory::text[]) WITH &&,
  valid WITH &&
);
