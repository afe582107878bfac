-- The logins of compose.yaml, each with the rights that it needs. Repeatable; psql sets the passwords
-- from the environment, so that they stand in no file and in no list of processes.

\set ON_ERROR_STOP on
\getenv runner PGVIGIL_RUNNER_PASSWORD
\getenv watcher PGVIGIL_WATCHER_PASSWORD
\getenv grafana PGVIGIL_GRAFANA_PASSWORD

select format('create role %I login', name) as make
from unnest(array['pgvigil_runner', 'pgvigil_watcher', 'grafana']) as name
where to_regrole(name) is null
\gexec

-- Passwords may have changed.
set log_statement = 'none';
alter role pgvigil_runner password :'runner';
alter role pgvigil_watcher password :'watcher';
alter role grafana password :'grafana';

grant monitoring_admin to pgvigil_runner;
grant monitoring_reader, monitoring_operator to pgvigil_watcher;
grant monitoring_reader to grafana;
alter role grafana set statement_timeout = '30s';
alter role grafana set jit = off;
