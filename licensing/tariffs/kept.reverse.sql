DROP TRIGGER guard_tariff ON licensing_tariff;
DROP FUNCTION guard_tariff();
DROP TRIGGER guard_tariff_versions ON licensing_tariffversion;
DROP TRIGGER guard_attachments ON licensing_attachment;
DROP TRIGGER guard_comments ON licensing_comment;
DROP TRIGGER guard_decisions ON licensing_decision;
DROP FUNCTION guard_procedure_stays();
