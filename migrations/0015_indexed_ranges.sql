-- depends: 0014_releases

-- How much of the open days their indexes know, so that each roll-up lets them know the rest.

set local lock_timeout = '200ms';

alter table monitoring.rollup_progress
add column indexed_ranges jsonb not null default '{}';

comment on column monitoring.rollup_progress.indexed_ranges is
'How many ranges of pages the BRIN index of each open day knows for certain, by the file node of '
'the partition.';

insert into monitoring.installed_migrations (migration_id) values ('0015_indexed_ranges');
