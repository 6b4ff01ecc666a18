-- Each answer that comes alone pays for every index of its link. By position nobody looks for one; that no two have the
-- same, the log's end sees to: its row is locked while a link is added, and `tiebreak verify` counts them.
ALTER TABLE answer_links DROP CONSTRAINT answer_links_pkey;
