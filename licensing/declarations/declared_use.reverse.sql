DROP TRIGGER declaration_is_kept_while_it_has_uses ON licensing_declaration;
DROP TRIGGER work_is_kept_while_declared ON licensing_work;
DROP FUNCTION declaration_is_kept();
DROP FUNCTION work_is_kept();
DROP TRIGGER declared_use_refers_when_changed ON licensing_declareduse;
DROP TRIGGER declared_use_refers_when_added ON licensing_declareduse;
DROP FUNCTION declared_use_refers();
