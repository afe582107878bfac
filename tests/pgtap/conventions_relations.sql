-- House rules of tables, views, columns, constraints and indexes, looked up in the catalogue.

begin;
select plan(29);
\ir helpers/comments.psql

-- Partitions are made as their table is; what holds for it holds for them.
create temporary view relations as
select
    c.oid,
    c.relname,
    c.relkind,
    c.relacl
from pg_class as c
where
    c.relnamespace = 'monitoring'::regnamespace
    and c.relkind in ('r', 'p', 'v')
    and not c.relispartition;

create temporary view relation_columns as
select
    r.relname,
    r.relkind,
    a.attrelid,
    a.attnum,
    a.attname,
    format_type(a.atttypid, a.atttypmod) as type_name,
    a.attnotnull,
    a.attidentity,
    a.attgenerated,
    a.attacl
from relations as r
inner join pg_attribute as a on r.oid = a.attrelid
where a.attnum > 0 and not a.attisdropped;

-- Documentation

select is_empty(
    $$
        select relname from relations
        where coalesce(obj_description(oid, 'pg_class'), '') = ''
            or length(obj_description(oid, 'pg_class')) > 300
            or pg_temp.sentences(obj_description(oid, 'pg_class')) > 2
    $$,
    'every table and view says in two sentences at most what it holds'
);

select is_empty(
    $$
        select relname, attname from relation_columns
        -- What nobody but our own views reads is told by these.
        where not (relkind = 'v' and relname ~ '^_') and (coalesce(col_description(attrelid, attnum), '') = ''
            or length(col_description(attrelid, attnum)) > 300
            or pg_temp.sentences(col_description(attrelid, attnum)) > 2)
    $$,
    'so does every column, but those of private views'
);

select isnt(
    obj_description('monitoring'::regnamespace, 'pg_namespace'),
    null,
    'so does the schema'
);

-- Names

select is_empty(
    $$
        select relname, attname from relation_columns
        where type_name = 'timestamp with time zone'
            and attname !~ '_at$'
            -- names that users have always known, and some that are bounds rather than events
            and attname not in (
                'start_time', 'end_time', 'muted_until', 'removed_before',
                'complete_since', 'timestamp'
            )
    $$,
    'an instant is named *_at'
);

select is_empty(
    $$select relname, attname from relation_columns where type_name ~ '^timestamp without'$$,
    'an instant knows its time zone'
);

select is_empty(
    $$
        select relname, attname from relation_columns
        where (type_name = 'boolean') <> (attname ~ '^(is|has)_')
            -- a name that users have always known
            and (relname, attname) <> ('batch_monitoring_alerts', 'acknowledged')
    $$,
    'a boolean, and nothing else, is named is_* or has_*'
);

select is_empty(
    $$
        select relname, attname, type_name from relation_columns
        where type_name ~ '^(character|json$|money|integer\[\]|real)'
            -- Months and years have no length in seconds; a policy may be in those.
            or type_name = 'interval' and attname !~ '(^|_)keep$'
    $$,
    'texts are text, documents jsonb, lengths of time numbers with a unit unless people set them'
);

select is_empty(
    $$
        select r.relname, k.conname, k.contype
        from pg_constraint as k
        inner join relations as r on k.conrelid = r.oid
        -- From version 18 on, not null is a constraint as well, named by the server.
        where k.contype <> 'n'
            and k.conname !~ (
                '^' || r.relname || case k.contype
                    when 'p' then '_pk$'
                    when 'u' then '_[a-z_]+_uq$'
                    when 'f' then '_[a-z_]+_fk$'
                    when 'c' then '_[a-z_]+_ck$'
                    when 'x' then '_[a-z_]+_ex$'
                end
            )
    $$,
    'constraints are named after their table and what they promise, and end in their kind'
);

select is_empty(
    $$
        select r.relname, i.indexrelid::regclass
        from pg_index as i
        inner join relations as r on i.indrelid = r.oid
        inner join pg_class as c on i.indexrelid = c.oid
        where not exists (select from pg_constraint as k where k.conindid = i.indexrelid)
            and c.relname !~ ('^' || r.relname || '_[a-z_]+_ix$')
    $$,
    'indexes are named after their table and what they serve, and end in _ix'
);

-- One clock

select is_empty(
    $$
        select relname from relations
        where relkind = 'v'
            and pg_get_viewdef(oid) ~* any(array[
                '\mnow\s*\(', '\m(clock|statement|transaction)_timestamp\M',
                '\mcurrent_(timestamp|date|time)\M', '\mlocaltime(stamp)?\M', '''now'''
            ])
    $$,
    'no view reads the time but through clock()'
);

select set_eq(
    $$
        select d.adrelid::regclass::text || ': ' || pg_get_expr(d.adbin, d.adrelid)
        from pg_attrdef as d
        inner join relations as r on d.adrelid = r.oid
        where pg_get_expr(d.adbin, d.adrelid) ~* '\m(now|\w*_timestamp|clock)\M'
    $$,
    -- Migrations run before there is a clock.
    array['installed_migrations: now()', 'installed_code: now()'],
    'no column takes the time by default, but in the book of what is installed'
);

-- Partitioned tables

select set_eq(
    $$
        select r.relname::text from relations as r
        inner join pg_partitioned_table as p on r.oid = p.partrelid
        where p.partstrat = 'r'
    $$,
    'select table_name from monitoring.partitioned_tables',
    'the list of tables partitioned by time is complete'
);

select set_eq(
    $$select relname::text from relations where relkind = 'r'$$,
    array[
        -- a row at each installation or upgrade
        'installed_migrations', 'installed_code', 'installed_objects',
        -- one row
        'clock_keys', 'clock_readings',
        -- what people set
        'partitioned_tables', 'retention_policies', 'jobs', 'error_group_states',
        'error_group_merges',
        -- a row for each thing that only one session may do at a time, datasets by the bucket
        'guards',
        -- a row while a task runs, or until it succeeds
        'active_tasks', 'unsuccessful_attempts',
        -- a row for each program of the last month that sends batches
        'senders',
        -- a row for each name that pings come under
        'pings',
        -- a row for each version of a component, at most a hundred a day
        'releases',
        -- taken away by the next roll-up
        'recounts',
        -- a row for each thing there is, or for each table
        'error_group_totals', 'component_states', 'rollup_progress', 'alert_rule_states',
        -- a row for each status of a few hundred names
        'running_totals',
        -- a row for each span and task type, for as long as roll-ups are kept; a row for each
        -- resolution; what came late, until it is settled
        'task_trends', 'trend_progress', 'unsettled_spans',
        -- names up to a limit that is in the other, and so of a few kinds
        'known_names', 'name_limits',
        -- what people set about alerts
        'alert_rules', 'alert_thresholds', 'alert_silences', 'alert_inhibitions',
        'notification_channels', 'expected_runs', 'alert_owners', 'page_addresses',
        'alert_rule_changes',
        -- and what is known of the runs that they expect, a row for each
        'expected_run_states',
        -- at most 10,000 that others have raised and not cleared
        'reported_alerts',
        -- and about workflows
        'workflows', 'workflow_steps',
        -- a row for each source, for each run of its last days, and for each trouble
        'sources', 'records_to_read',
        'source_runs', 'source_troubles', 'source_queries', 'source_loads',
        'staged_rows',
        -- what adopt() knows, and what it has made
        'adapters', 'adoptions',
        -- a row for each hour whose roll-ups changed in the last days
        'rollup_changes',
        -- a row for each member of a fleet, for what each has at most 1,000 of, and for what
        -- is still to be read of it
        'fleet_members', 'fleet_member_states', 'fleet_alerts', 'fleet_tasks', 'fleet_components',
        'fleet_workflow_days', 'fleet_decisions', 'fleet_wanted_rollups',
        -- what people say about records
        'datasets', 'change_sources', 'allowed_transitions', 'status_triggers',
        -- a row for each record, or for each that is or was invalid; they are updated in place
        'record_states', 'invalid_record_states', 'invalid_record_spells', 'products_of_records',
        'program_runs', 'daily_summaries',
        -- a row for each change of an alert or message, which rules keep few
        'raised_alerts', 'alert_transitions', 'queued_notifications',
        -- rows that were recorded late, until a job places them
        'late_finished_tasks', 'late_errors', 'late_metric_samples', 'late_log_lines',
        'late_health_probes', 'late_queue_samples', 'late_status_changes'
    ],
    'every other table stays small whatever programs record: a new one is either on that list, so '
    'that it is partitioned, or on this one with its reason'
);

select is_empty(
    $$
        select t.table_name, t.relname
        from (
            select r.relname, m.table_name[1] as table_name
            from pg_proc as p
            inner join pg_language as l on p.prolang = l.oid
            inner join relations as r on r.relkind = 'r',
                regexp_matches(p.prosrc, 'insert into monitoring\.(\w+)', 'g') as m (table_name)
            where p.pronamespace = 'monitoring'::regnamespace and l.lanname = 'plpgsql'
                and p.proname ~ '^_(record|insert)_' and r.relname = m.table_name[1]
                and r.relname !~ '^late_'
        ) as t
    $$,
    'what is inserted with each record goes into partitioned tables, or waits to'
);

select set_eq(
    $$
        select t.table_name
        from monitoring.partitioned_tables as t
        inner join pg_partitioned_table as p
            on p.partrelid = to_regclass('monitoring.' || t.table_name)
        inner join pg_attribute as a
            on a.attrelid = p.partrelid and a.attname = t.time_column
        where p.partstrat = 'r' and p.partattrs::text = a.attnum::text
            and a.atttypid = 'timestamptz'::regtype
    $$,
    'select table_name from monitoring.partitioned_tables',
    'each is partitioned by ranges of its time column'
);

select results_eq(
    $$
        select t.table_name, (
            select array_agg(a.attname::text collate "default" order by k.position)
            from pg_constraint as c
            cross join unnest(c.conkey) with ordinality as k (attnum, position)
            inner join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.attnum
            where c.conrelid = to_regclass('monitoring.' || t.table_name) and c.contype = 'p'
                and k.position <= 2
        )
        from monitoring.partitioned_tables as t order by t.table_name
    $$,
    $$
        select t.table_name, array[t.key_column, t.time_column]
        from monitoring.partitioned_tables as t order by t.table_name
    $$,
    'the primary key of each begins with its key and time columns'
);

select is_empty(
    $$
        select t.table_name, t.key_column
        from monitoring.partitioned_tables as t
        where not exists (
            select from relation_columns as c
            where c.relname = t.table_name and c.attname = t.key_column
                and c.type_name = 'text' and c.attnotnull
        )
    $$,
    'the key column of each is a text that is never null'
);

select is_empty(
    $$
        select p.partrelid::regclass from pg_partitioned_table as p
        inner join relations as r on p.partrelid = r.oid
        where p.partdefid <> 0
    $$,
    'none has a default partition'
);

select is_empty(
    $$
        select r.relname from relations as r
        where r.relkind in ('r', 'p')
            and not exists (
                select from pg_constraint as k where k.conrelid = r.oid and k.contype = 'p'
            )
    $$,
    'every table has a primary key'
);

select is_empty(
    $$
        select t.table_name, p.attname, l.attname
        from monitoring.partitioned_tables as t
        cross join lateral (
            select a.attname, format_type(a.atttypid, a.atttypmod) as type_name, a.attnotnull,
                row_number() over (order by a.attnum) as position,
                pg_get_expr(d.adbin, d.adrelid) as default_value
            from pg_attribute as a
            left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attrelid = to_regclass('monitoring.' || t.table_name)
                and a.attnum > 0 and not a.attisdropped
        ) as p
        left join lateral (
            select a.attname, format_type(a.atttypid, a.atttypmod) as type_name, a.attnotnull,
                row_number() over (order by a.attnum) as position,
                pg_get_expr(d.adbin, d.adrelid) as default_value
            from pg_attribute as a
            left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attrelid = to_regclass('monitoring.late_' || t.table_name)
                and a.attnum > 0 and not a.attisdropped
        ) as l on l.position = p.position
        where row(p.attname, p.type_name, p.attnotnull, p.default_value)
            is distinct from row(l.attname, l.type_name, l.attnotnull, l.default_value)
    $$,
    'each has a table of late rows with the same columns'
);

-- Cheap to write

select is_empty(
    $$
        select t.tgrelid::regclass, t.tgname from pg_trigger as t
        inner join pg_class as c on t.tgrelid = c.oid
        where c.relnamespace = 'monitoring'::regnamespace
    $$,
    'there are no triggers'
);

select is_empty(
    $$
        select k.conrelid::regclass, k.conname from pg_constraint as k
        where k.connamespace = 'monitoring'::regnamespace and k.contype = 'f'
    $$,
    'there are no foreign keys'
);

select is_empty(
    $$
        select c.relname, c.attname from relation_columns as c
        left join pg_attrdef as d on c.attrelid = d.adrelid and c.attnum = d.adnum
        where c.attidentity <> ''
            or c.attgenerated <> '' and pg_get_expr(d.adbin, d.adrelid) !~ '\mdecided'
    $$,
    'there are no identity columns, and a generated one is what people decided, or what we ship'
);

select is_empty(
    $$
        select s.oid::regclass from pg_class as s
        where s.relnamespace = 'monitoring'::regnamespace and s.relkind = 'S'
            and not exists (
                select from pg_depend as d
                where d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype = 'a'
                    and d.refobjid in (select oid from relations)
            )
    $$,
    'every sequence belongs to a column'
);

-- Security

select is_empty(
    $$
        select c.oid::regclass
        from pg_class as c, aclexplode(c.relacl) as a
        where c.relnamespace = 'monitoring'::regnamespace and a.grantee = 0
        union all
        select a.attrelid::regclass
        from relation_columns as a, aclexplode(a.attacl) as x
        where x.grantee = 0
    $$,
    'no relation and no column is granted to everyone'
);

select is_empty(
    $$
        select n.nspname
        from pg_namespace as n, aclexplode(n.nspacl) as a
        where n.nspname = 'monitoring' and a.grantee = 0
        union all
        select 'default privileges'
        from pg_default_acl as d
        where d.defaclnamespace = 'monitoring'::regnamespace
    $$,
    'nor is the schema, now or by default'
);

select is_empty(
    $$
        select c.oid::regclass, a.grantee::regrole
        from pg_class as c, aclexplode(c.relacl) as a
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind in ('r', 'p', 'S')
            and a.grantee not in (c.relowner, 'monitoring_admin'::regrole)
    $$,
    'no table, partition or sequence is granted to anyone but the admin'
);

-- Retention

select is_empty(
    $$
        select t.table_name from monitoring.partitioned_tables as t
        where not exists (
            select from monitoring.retention_policies as p where p.table_name = t.table_name
        )
        union all
        select p.table_name from monitoring.retention_policies as p
        where p.table_name not in (select r.table_name from monitoring._retained_tables as r)
    $$,
    'every partitioned table has a retention policy, and every policy a table'
);

select is_empty(
    $$
        select r.table_name, n.column_name
        from monitoring._retained_tables as r
        cross join lateral (
            values (r.time_column, 'timestamp with time zone'), (r.category_column, 'text')
        ) as n (column_name, type_name)
        where n.column_name is not null
            and not exists (
                select from relation_columns as c
                where c.relname = r.table_name and c.attname = n.column_name
                    and c.type_name = n.type_name and c.attnotnull
            )
    $$,
    'the columns that retention goes by exist and are never null'
);

select * from finish(); -- noqa: AM04
rollback;
