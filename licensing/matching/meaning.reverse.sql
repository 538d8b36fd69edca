DROP FUNCTION licensing_meaning(bigint, text, text);
DROP FUNCTION licensing_registered(bigint, text, text);
DROP FUNCTION licensing_web_work(bigint, text, text);
DROP FUNCTION licensing_survivor(bigint);
DROP VIEW licensing_merged;
