DROP TRIGGER published_is_kept ON royalties_transparencyreport;
DROP TRIGGER never_emptied ON royalties_transparencyreport;
DROP TRIGGER decided_is_kept ON royalties_close;
DROP TRIGGER never_emptied ON royalties_close;
DROP FUNCTION royalties_keep_report();
