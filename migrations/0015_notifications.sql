-- depends: 0011_alerts

-- Alerts that have resolved and are kept for days must not be looked through at each evaluation.

set local lock_timeout = '5s';

-- Serves the search for alerts that have resolved and whose end is still to be told.
-- squawk-ignore require-concurrent-index-creation
create index raised_alerts_untold_ix on monitoring.raised_alerts (resolved_at)
where resolved_at < 'infinity' and told @? '$.* ? (@.event != "resolved")';

insert into monitoring.installed_migrations (migration_id) values ('0015_notifications');
