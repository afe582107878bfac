-- House rules of functions, looked up in the catalogue.

begin;
select plan(23);
-- Bodies are shown with the schema of whatever is not on the path.
set local search_path = tap, public;
\ir helpers/comments.psql

create temporary view routines as
select
    p.oid,
    p.proname,
    p.oid::regprocedure::text as signature,
    l.lanname,
    p.prosecdef,
    p.proconfig,
    p.provolatile,
    p.prokind,
    p.proargnames,
    p.proargmodes,
    p.proacl,
    -- A body in SQL is stored parsed, one in PL/pgSQL as text.
    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body
from pg_proc as p
inner join pg_language as l on p.prolang = l.oid
-- An aggregate is no more than what its functions are.
where p.pronamespace = 'monitoring'::regnamespace and p.prokind <> 'a';

-- Security

select is_empty(
    $$
        select signature from routines
        where lanname = 'plpgsql'
            and not (
                coalesce(proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
                and proconfig <@ array[
                    'search_path=pg_catalog, pg_temp', 'plan_cache_mode=force_custom_plan',
                    'plan_cache_mode=force_generic_plan', 'enable_seqscan=off',
                    'enable_hashjoin=off', 'enable_mergejoin=off',
                    'max_parallel_workers_per_gather=0', 'jit=off',
                    'DateStyle=ISO', 'TimeZone=UTC', 'extra_float_digits=1',
                    'lock_timeout=1ms', 'lock_timeout=1s', 'row_security=off'
                ]
            )
            -- A procedure that commits cannot.
            and prokind <> 'p'
    $$,
    'every PL/pgSQL function pins its search path, and sets nothing else but how it is planned, '
    'how it writes values as texts, that it hardly waits and that no row is hidden from it'
);

select is_empty(
    $$select signature from routines where lanname = 'sql' and proconfig is not null$$,
    'no SQL function sets anything, for then it would not be inlined'
);

select is_empty(
    $$
        select signature from routines
        where lanname = 'sql' and pg_get_function_sqlbody(oid) is null
    $$,
    'every SQL function has a body that was parsed when it was made'
);

select is_empty(
    $$select signature, lanname from routines where lanname not in ('sql', 'plpgsql')$$,
    'functions are written in SQL or PL/pgSQL'
);

-- A public one is granted by its name in sql/grants.sql. A private one may be called by whoever may
-- call what calls it, so each that works with its owner's rights is a decision of its own.
select set_eq(
    $$select proname::text from routines where prosecdef and starts_with(proname, '_')$$,
    array[
        -- the work of recording functions, which are wrappers that the planner inlines
        '_start_task', '_update_task', '_complete_task', '_record_error', '_record_metric',
        '_record_log', '_record_probe', '_record_queue', '_record_rows',
        '_start_etl_execution', '_finish_etl_execution', '_log_etl_event', '_record_etl_metric',
        '_track_status_changes', '_track_statuses_of_day', '_track_told_statuses',
        -- what a batch needs beside the recording functions that it calls
        '_begin_batch', '_note_runs', '_told_batch', '_on_our_clock', '_record_runs',
        '_tell_refused_call',
        -- what clock() and views ask for, and readers may not see in the tables
        '_set_time', '_freshness', '_is_session_expected', '_read_expected_runs', '_alert_link',
        '_date_of_alert', '_batch_health', '_read_recent_pg_cron_runs', '_fleet_rollups_between',
        -- and what views over adopted queues do
        '_adopted_since', '_adopted_running', '_adopted_span', '_adopted_totals',
        -- what runs with the rights of readers, who own it
        '_run_rule_query', '_rows_as_reader',
        -- status triggers, which whoever writes into a watched table sets off
        '_track_trigger', '_make_trigger_function', '_drop_unused_trigger_functions',
        -- jobs, whoever the scheduler logs in as
        '_run_job'
    ],
    'of private functions only these run with the rights of their owner'
);

select is_empty(
    $$
        select a.role, p.oid::regprocedure, c.called
        from (
            values ('monitoring_reader'), ('monitoring_writer'), ('monitoring_operator')
        ) as a (role)
        inner join pg_proc as p on has_function_privilege(a.role, p.oid, 'execute')
        cross join lateral (
            select d.refobjid::regproc as called
            from pg_depend as d
            where d.classid = 'pg_proc'::regclass and d.objid = p.oid
                and d.refclassid = 'pg_proc'::regclass
            union
            select k.oid::regproc
            from regexp_matches(p.prosrc, 'monitoring\.(\w+)', 'g') as n (words)
            inner join pg_proc as k
                on k.pronamespace = p.pronamespace and k.proname = n.words[1]
        ) as c
        where p.pronamespace = 'monitoring'::regnamespace and not p.prosecdef
            and not has_function_privilege(a.role, c.called::oid, 'execute')
    $$,
    'whoever may call a function may call what it calls with their rights'
);

select is_empty(
    $$
        select r.signature
        from routines as r
        where r.proacl is null
            or exists (select from aclexplode(r.proacl) as a where a.grantee = 0)
    $$,
    'no function may be called by everyone'
);

select is_empty(
    $$
        select signature from routines
        where body ~ 'pg_(try_)?advisory'
            and proname not in ('_give_back_lock', '_leave_session_as')
    $$,
    'nothing is guarded by advisory locks, which everyone can take'
);

-- Names

select is_empty(
    $$
        select r.signature, a.name
        from routines as r, unnest(r.proargnames, r.proargmodes) as a (name, mode)
        where a.name !~ '^p_[a-z_]+$' and coalesce(a.mode, 'i') not in ('o', 't')
    $$,
    'every parameter has a name that starts with p_'
);

select is_empty(
    $$
        select signature from routines
        where proname !~ '^_?[a-z]+(_[a-z]+)*$'
    $$,
    'names are words in lower case, with one underscore in front where private'
);

select is_empty(
    $$
        select signature from routines
        where not starts_with(proname, '_') and proname !~ (
            '^(record|raise|clear|log|track|load|start|update|complete|finish|get|check|evaluate'
            '|explain|backtest|define|create|attach|apply|register|change|set|reset|enable|disable|remove'
            '|(un)?acknowledge|(auto_)?resolve|(un)?silence|mute|reopen|merge|split|learn|request|retry|send|sync'
            '|confirm|rebuild|cleanup|ensure|prepare|place|purge|import|run)_'
        )
        -- These are named after what they give, or are verbs of one word.
        and proname not in (
            'clock', 'version', 'severities', 'message_template', 'error_fingerprint',
            'approx_percentile', 'key_of_record', 'business_date_of', 'next_cron_time',
            'roll_up', 'self_check', 'adopt'
        )
        and coalesce(obj_description(oid, 'pg_proc'), '') !~ '^For (runners|installers)'
    $$,
    'public functions begin with the verbs that docs/contributing/internals.md lists'
);

select set_eq(
    $$
        select c.relname::text from pg_class as c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'v'
            and c.relname !~ '^(v_|_)'
    $$,
    array[
        'alert_history', 'alerts', 'batch_execution_logs', 'batch_monitoring_alerts',
        'batch_monitoring_config', 'batch_performance_summary', 'batch_workflow_config',
        'daily_summary', 'error_groups', 'error_tracking', 'etl_executions', 'etl_logs',
        'etl_metrics', 'invalid_records', 'monitoring_config', 'performance_monitoring',
        'processing_log', 'processing_metrics', 'queue_monitoring', 'record_products',
        'status_history', 'system_health'
    ],
    'views that people read begin with v_, those with names that were fixed before apart'
);

select is_empty(
    $$
        select r.signature, v.name[1]
        from routines as r,
            regexp_matches(
                substring(r.body from '(?i)\mdeclare\M(.*?)\mbegin\M'), '^\s*(\w+) [^-]', 'gn'
            ) as v (name)
        where r.lanname = 'plpgsql' and v.name[1] !~ '^v_'
    $$,
    'every declared variable starts with v_'
);

-- Promises

select is_empty(
    $$
        with calls as (
            select r.signature, n.words[1] as schema_name, n.words[2] as called,
                n.words[3] is not null as is_call
            from routines as r, regexp_matches(
                regexp_replace(r.body, '--[^\n]*', '', 'g'),
                '(\w+\.)?\m([a-z_0-9]+)\M(\s*\()?', 'g'
            ) as n (words)
            where r.provolatile = 'i'
        )
        select c.signature, c.called from calls as c
        where c.schema_name = 'monitoring.' and (
                exists (
                    select from pg_class as k
                    where k.oid = to_regclass('monitoring.' || c.called)
                        and k.relkind in ('r', 'p', 'v')
                )
                or exists (
                    select from routines as k where k.proname = c.called and k.provolatile <> 'i'
                )
            )
            or coalesce(c.schema_name, 'pg_catalog.') = 'pg_catalog.' and c.is_call
            -- These depend on settings for values of other types than we give them.
            and c.called not in (
                'concat_ws', 'format', 'jsonb_build_array', 'jsonb_build_object', 'to_jsonb'
            )
            and (
                select bool_and(p.provolatile <> 'i') from pg_proc as p
                where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = c.called
            )
    $$,
    'an immutable function reads no table, and calls nothing but what is immutable as well'
);

select is_empty(
    $$
        select signature, provolatile from routines
        where provolatile <> 'v'
            and proname ~ (
                '^_?(start|update|complete|record|insert|make|ensure|remember|decide|resolve|mute'
                '|reopen|note|grant|merge_(rollups|uptime|error|component)|roll|rebuild)_'
            )
    $$,
    'whatever writes is volatile'
);

select is_empty(
    $$
        select signature from routines
        -- A seal holds for one transaction, which its beginning tells from others.
        where proname not in ('clock', '_stopwatch_ms', '_seal_of')
            and body ~* any(array[
                '\mnow\s*\(', '\m(clock|statement|transaction)_timestamp\M', '\mtimeofday\M',
                '\mcurrent_(timestamp|date|time)\M', '\mlocaltime(stamp)?\M',
                '''(now|today|tomorrow|yesterday)''\s*::'
            ])
    $$,
    'no function but clock() reads the time; a stopwatch measures our own work'
);

select is_empty(
    $$
        select r.signature
        from routines as r
        where r.lanname = 'plpgsql'
            and strpos(regexp_replace(r.body, '\mE''([^''\\]|\\.|'''')*''', '', 'g'), chr(92)) > 0
    $$,
    'no body has a backslash that the session may take for another: E before the literal, or none'
);

select is_empty(
    $$
        select r.signature, c.code[1]
        from routines as r,
            regexp_matches(r.body, '(?:errcode\s*=|sqlstate\s*:=)\s*''([^'']+)''', 'g') as c (code)
        where c.code[1] !~ '^PV0(0[1-9]|10)$'
    $$,
    'whatever is raised has a code of our own class'
);

select is_empty(
    $$
        select signature from routines
        where body ~ '''PV007'',\s*(message = )?(format\()?''there is no '
            and proname <> '_refuse_unknown'
    $$,
    'what is not there is refused in one place'
);

select is_empty(
    $$
        select signature from routines
        where body ~* '\m(upper|lower|initcap)\((?!\(*[^()]*collate "C")'
    $$,
    'no function goes by the letters of the database''s language, where upper(''i'') may be İ'
);

-- Documentation

select is_empty(
    $$
        select r.signature, obj_description(r.oid, 'pg_proc') as described
        from routines as r
        where not starts_with(r.proname, '_')
            and (
                coalesce(obj_description(r.oid, 'pg_proc'), '') = ''
                or length(obj_description(r.oid, 'pg_proc')) > 300
                or pg_temp.sentences(obj_description(r.oid, 'pg_proc')) > 2
            )
    $$,
    'every public function says in two sentences at most what it promises'
);

select is_empty(
    $$
        select r.signature, a.role
        from routines as r
        cross join (
            values ('monitoring_reader'), ('monitoring_writer'), ('monitoring_operator')
        ) as a (role)
        where obj_description(r.oid, 'pg_proc') ~ '^For (runners|installers)'
            and has_function_privilege(a.role, r.oid, 'execute')
    $$,
    'what only runners and installers call belongs to admins'
);

select is_empty(
    $$
        select r.signature from routines as r
        where starts_with(r.proname, '_') and obj_description(r.oid, 'pg_proc') is not null
    $$,
    'private functions are described where they are written'
);

select * from finish(); -- noqa: AM04
rollback;
