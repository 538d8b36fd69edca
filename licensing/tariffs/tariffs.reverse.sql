DROP TRIGGER guard_tariff_version ON licensing_tariffversion;
DROP FUNCTION guard_tariff_version();
