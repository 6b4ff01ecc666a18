-- App servers ask once a second which log-ins were revoked of late. Most never are: the index holds the others only.
CREATE INDEX refresh_families_revoked ON refresh_families (revoked_at) WHERE revoked_at IS NOT NULL;
