DROP TRIGGER guard_tariff_comment ON licensing_comment;
DROP FUNCTION guard_tariff_comment();
DROP TRIGGER guard_tariff_decision ON licensing_decision;
DROP FUNCTION guard_tariff_decision();
DROP TRIGGER guard_tariff_determination ON licensing_tariffversion;
DROP FUNCTION guard_tariff_determination();
