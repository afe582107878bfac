-- depends: 0019_record_sources
-- squawk-ignore-file require-concurrent-index-creation

-- What people have accepted is looked at again by every check: it may be valid by now.

set local lock_timeout = '5s';

-- Serves the search for what people have accepted, by type and day.
create index invalid_record_states_accepted_ix
on monitoring.invalid_record_states (dataset, validation_type, target_date)
where resolution in ('manual', 'superseded');

insert into monitoring.installed_migrations (migration_id) values ('0020_accepted_records');
