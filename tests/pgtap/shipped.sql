-- What is shipped refers to what is there, and is as it would have to be if people set it.

begin;
select plan(13);
\ir helpers/fixed_clock.psql

-- Rules

select is_empty(
    $$
        select r.rule_name, f.name from monitoring.alert_rules as r
        cross join lateral (values (r.finder_name), (r.explainer_name)) as f (name)
        where to_regproc('monitoring.' || f.name) is null
    $$,
    'a rule has a finder and an explainer that are there'
);
select is_empty(
    $$
        select rule_name from monitoring.alert_rules
        where coalesce(description, '') !~ '^[A-Z].*\.$'
            or shipped -> 'comparison' is null
            or decided <> '{}'
            or changed_at is not null
    $$,
    'what it finds is said in sentences, how it compares is said, and nobody decided it'
);
select lives_ok(
    $$
        select monitoring._checked_setting(s.key, s.value)
        from monitoring.alert_rules as r cross join jsonb_each(r.shipped) as s
        where s.key <> all (array['alert_for_each', 'unknown_past', 'has_past'])
    $$,
    'settings are such as people may set'
);
select lives_ok(
    $$
        select monitoring._checked_thresholds(t.shipped, r.comparison),
            monitoring._checked_labels(t.labels)
        from monitoring.alert_thresholds as t
        inner join monitoring.alert_rules as r on t.rule_name = r.rule_name
    $$,
    'so are thresholds'
);
select is_empty(
    $$
        select rule_name from monitoring.alert_thresholds
        except select rule_name from monitoring.alert_rules
    $$,
    'which belong to a rule'
);
select is_empty(
    $$
        select r.name from monitoring.alert_inhibitions as i
        cross join lateral (values (i.source_rule), (i.target_rule)) as r (name)
        except select rule_name from monitoring.alert_rules
    $$,
    'an inhibition is about two rules'
);

-- Jobs

select is_empty(
    $$
        select j.job_name from monitoring.jobs as j
        where not exists (
            select from pg_proc as p
            where format('%s.%s', p.pronamespace::regnamespace, p.proname) = j.procedure_name
        )
    $$,
    'a job calls what is there'
);
select lives_ok(
    $$
        select monitoring._check_schedule(schedule), monitoring._check_time_zone(time_zone),
            monitoring._find_job_routine(procedure_name)
        from monitoring.jobs
    $$,
    'by a schedule that is one'
);

-- Tables

select is_empty(
    $$
        select c.table_name, c.column_name from monitoring.partitioned_tables as t
        cross join lateral (
            values (t.table_name, t.key_column), (t.table_name, t.time_column),
                ('late_' || t.table_name, t.time_column), ('_all_' || t.table_name, t.time_column)
        ) as c (table_name, column_name)
        where not exists (
            select from pg_attribute as a
            where a.attrelid = to_regclass('monitoring.' || c.table_name)
                and a.attname = c.column_name
        )
    $$,
    'a partitioned table has its columns, and so has what waits to be placed in it'
);
select set_eq(
    'select distinct table_name from monitoring.retention_policies',
    'select table_name from monitoring._retained_tables',
    'whatever can be removed by age has a policy, and nothing else has'
);
select lives_ok(
    $$
        select monitoring._check_category(p.category, t.category_column, t.categories),
            monitoring._check_keep(
                p.keep, case when t.is_partitioned then interval '1 day' else '1 minute' end
            )
        from monitoring.retention_policies as p
        inner join monitoring._retained_tables as t on p.table_name = t.table_name
    $$,
    'for categories that there are, and lengths of time that people may set'
);
select set_eq(
    'select source from monitoring.rollup_progress',
    $$
        select substr(relname, 13) from pg_class
        where relnamespace = 'monitoring'::regnamespace and relname ~ '^_samples_of_'
    $$,
    'what is rolled up has samples'
);
select is_empty(
    $$
        select l.kind from monitoring.name_limits as l
        where l.shipped_at_most not between 10 and 100000 or l.at_most is not null
    $$,
    'a limit of names is one that people may set'
);

select * from finish(); -- noqa: AM04
rollback;
