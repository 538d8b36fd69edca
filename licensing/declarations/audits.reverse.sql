DROP TRIGGER audit_lines_stay ON licensing_auditline;
DROP TRIGGER audit_samples_stay ON licensing_auditsample;
DROP FUNCTION audits_stay();
DROP TRIGGER audit_line_stays_once_closed ON licensing_auditline;
DROP FUNCTION audit_line_stays();
DROP TRIGGER audit_sample_stays_once_closed ON licensing_auditsample;
DROP FUNCTION audit_sample_stays();
