-- House rules of functions, looked up in the catalogue.

begin;
select plan(18);
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
                    'lock_timeout=1ms', 'row_security=off'
                ]
            )
            -- A procedure that commits cannot.
            and prokind <> 'p'
    $$,
    'every PL/pgSQL function pins its search path, and sets nothing else but how it is planned, '
    'how it writes values as texts, that it waits for nobody and that no row is hidden from it'
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

select set_eq(
    'select proname::text from routines where prosecdef',
    array[
        '_set_time',
        '_start_task', '_update_task', '_complete_task', '_record_error', '_record_metric',
        '_record_log', '_record_probe', '_record_queue', '_record_rows', 'resolve_error_group',
        'mute_error_group', 'reopen_error_group', 'ensure_partitions', 'prepare_backfill',
        'place_late_rows', 'get_installation',
        'set_alert_owner', 'set_page_url', '_alert_link', '_date_of_alert', 'get_step_runs',
        '_run_job', 'enable_job', 'request_job', 'confirm_clock', 'self_check', 'next_cron_time',
        'roll_up', 'rebuild_rollups',
        -- alerts
        'explain_alert',
        'evaluate_alerts', 'check_error_rate_alerts', 'check_processing_performance_alerts',
        'check_system_health_alerts', 'check_queue_backlog_alerts', 'resolve_resolved_alerts',
        'acknowledge_alert', 'unacknowledge_alert', 'resolve_alert', 'silence_alerts',
        'unsilence_alerts', 'inhibit_alerts', 'uninhibit_alerts', 'set_alert_thresholds',
        'enable_alert_rule', 'change_alert_rule',
        'expect_runs', 'forget_expected_runs', '_read_expected_runs',
        -- ETL
        '_start_etl_execution', '_finish_etl_execution', '_log_etl_event', '_record_etl_metric',
        'get_etl_execution_summary', 'get_etl_health_status',
        -- own rules and backtests
        '_run_rule_query', '_cells_as_reader', 'create_alert_rule', 'drop_alert_rule',
        'backtest_alert_rule',
        -- notifications
        'set_notification_channel', 'enable_notification_channel', 'remove_notification_channel',
        'send_test_notification', 'retry_notification',
        -- records: invalid ones, products, runs, days
        'log_invalid_records', 'sync_invalid_records', 'auto_resolve_invalid_records',
        'resolve_invalid_records', 'track_record_products', 'log_program_execution',
        'update_daily_summary',
        -- sources
        'enable_run_source', 'sync_run_source', 'sync_run_sources',
        'enable_record_source', 'sync_record_source', 'sync_record_sources',
        'track_all_status_changes_from_source', 'enable_source_query', 'begin_source_load',
        'note_source_progress', 'finish_source_load', 'fail_source_load',
        -- configuration
        'get_config', 'apply_config',
        -- workflows
        'apply_workflow', 'remove_workflow', 'get_workflow', 'business_date_of',
        'get_dashboard_cards', 'get_trend_points', 'get_ended_tasks', 'get_ended_batch_runs',
        'get_batch_timeline', 'get_batch_performance', 'get_batch_health', '_batch_health',
        'get_daily_report',
        -- records: statuses
        'configure_dataset', 'set_allowed_transitions', 'remove_dataset', 'add_change_source',
        '_track_status_changes', '_track_statuses_of_day', '_track_told_statuses',
        '_track_trigger', '_make_trigger_function', '_drop_unused_trigger_functions',
        'record_timeline',
        'get_daily_report', '_freshness', '_is_session_expected',
        -- pg_cron and retention
        '_read_recent_pg_cron_runs',
        'set_retention', 'set_partitions_ahead', 'set_name_limit', 'cleanup_old_monitoring_data'
    ],
    'only these run with the rights of their owner'
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

select set_eq(
    $$select proname::text from routines where provolatile = 'i'$$,
    array[
        'error_fingerprint', 'fingerprint_version', 'message_template', 'version',
        '_is_foldable', '_alerts_in', '_reason_in',
        '_failures', '_is_failure', '_count_of', '_error_group_in_words', '_component_fingerprint',
        '_finding_of_check',
        '_next_cron_day', '_next_cron_local_time', '_next_in_set',
        'histogram_cell', 'histogram_value', 'approx_percentile', '_merge_histograms',
        '_clamped_percentile', '_summable', '_short_name',
        '_severity_rank', '_label_matches', '_matches',
        -- notifications
        '_known_time_zone', '_notice_rank', '_abandoned', '_one_line', '_shortened',
        '_spell_value', '_spell_seconds',
        '_figure', '_attempt_fingerprint', '_task_labels',
        -- ETL
        '_etl_status', '_counter', '_item_counts',
        -- own rules
        '_rule_fingerprint', '_rule_query_hint',
        -- configuration
        'get_config_schema', '_config_schema_of_alerts', '_config_schema_of_systems',
        '_config_sections', '_meant_part', '_is_of_json_type',
        '_fits_limits', '_fits_schema', '_config_problems',
        '_key_problems', '_length_in_words', '_best_known_rules', '_merged_settings',
        '_config_changes',
        -- workflows
        'get_workflow_schema', '_running_estimate', '_clear_times', '_runs_left', '_remaining',
        '_progress_percent', '_whole_seconds', '_sensible_seconds', '_small_number',
        -- records
        'key_of_record',
        '_fitted_name', '_counters_like', '_sum_of', '_status_after'
    ],
    'only what depends on its arguments alone is immutable'
);

select is_empty(
    $$
        select signature, provolatile from routines
        where provolatile <> 'v'
            -- A record is what it is the timeline of.
            and proname <> 'record_timeline'
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
        where c.code[1] !~ '^PV00[1-9]$'
    $$,
    'whatever is raised has a code of our own class'
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
        select r.signature from routines as r
        where starts_with(r.proname, '_') and obj_description(r.oid, 'pg_proc') is not null
    $$,
    'private functions are described where they are written'
);

select * from finish(); -- noqa: AM04
rollback;
