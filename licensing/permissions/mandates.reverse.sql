ALTER TABLE licensing_mandate DROP CONSTRAINT mandate_covers_a_use_once_a_day;
DROP FUNCTION code_points(text[]);
