-- Each answer that comes alone pays for every index of its link. Links are found by the greatest id of their answers, which
-- no other link has; that no two have one position, the log's end sees to: its row is locked while a link is added, and
-- `tiebreak verify` looks at both.
ALTER TABLE answer_links DROP CONSTRAINT answer_links_pkey;
DROP INDEX answer_links_last_id;
ALTER TABLE answer_links ADD PRIMARY KEY (quiz_session_id, last_id);
