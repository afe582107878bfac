-- Who may do what. Nothing is granted to PUBLIC, and no table to anyone but the admin: programs
-- call functions, people read views. Roles that the cluster lacks are passed over, so this file
-- may be run again once they are there. It comes after all that it grants.

-- The functions that belong to monitoring_reader.
create or replace function monitoring._functions_of_readers() returns text[]
language sql
stable
return array['_run_rule_query', '_rows_as_reader'];

-- Makes monitoring_admin the owner of everything in the schema, when the caller belongs to it.
--
-- Entry points run with their owner's rights. That owner is the admin, who may not log in and is no
-- superuser, rather than whoever installed; where the installer does not belong to the admins
-- everything stays the installer's.
create or replace function monitoring._hand_over_to_admin() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin oid := to_regrole('monitoring_admin')::oid;
    v_relation regclass;
    v_routine regprocedure;
    v_type regtype;
begin
    if v_admin is null or not pg_has_role(v_admin, 'usage') then
        return;
    end if;
    -- From PostgreSQL 16 on a member may have the rights but not the right to give things away.
    if current_setting('server_version_num')::integer >= 160000 then
        if not pg_has_role(v_admin, 'set') then
            return;
        end if;
    end if;
    grant create, usage on schema monitoring to monitoring_admin;
    for v_relation in
        select c.oid::regclass from pg_class c
        where c.relnamespace = 'monitoring'::regnamespace
            and c.relkind in ('r', 'p', 'v')
            and c.relowner <> v_admin
    loop
        -- Serves views as well, and takes a column's sequence along.
        execute format('alter table %s owner to monitoring_admin', v_relation);
    end loop;
    for v_type in
        select t.oid::regtype from pg_type t
        inner join pg_class c on c.oid = t.typrelid
        where t.typnamespace = 'monitoring'::regnamespace
            and c.relkind = 'c'
            and t.typowner <> v_admin
    loop
        execute format('alter type %s owner to monitoring_admin', v_type);
    end loop;
    for v_routine in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'monitoring'::regnamespace
            and p.proowner <> v_admin
            and p.proname <> all (monitoring._functions_of_readers())
    loop
        execute format('alter routine %s owner to monitoring_admin', v_routine);
    end loop;
    perform monitoring._hand_over_rule_queries();
end
$$;

-- Makes monitoring_reader the owner of the functions that run the queries of own rules and read
-- relations of others, or monitoring_admin where the caller cannot.
--
-- The queries of own rules, and relations of others, are read with the rights of whoever owns the
-- function that reads them: that is monitoring_reader. The admins belong to the readers, so that
-- each who may replace the rest of the code may replace that. Where the caller cannot arrange it
-- these functions go where the rest goes.
create or replace function monitoring._hand_over_rule_queries() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wanted text := 'monitoring_admin';
    v_routine regprocedure;
begin
    if to_regrole('monitoring_reader') is not null
        and pg_has_role((
            select n.nspowner from pg_namespace n where n.nspname = 'monitoring'
        ), 'usage')
    then
        begin
            if not pg_has_role('monitoring_admin', 'monitoring_reader', 'usage') then
                grant monitoring_reader to monitoring_admin;
            end if;
            if pg_has_role('monitoring_reader', case
                when current_setting('server_version_num')::integer < 160000 then 'usage'
                else 'set'
            end) then
                v_wanted := 'monitoring_reader';
            end if;
        exception
            when insufficient_privilege then
                null;
        end;
    end if;
    for v_routine in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'monitoring'::regnamespace
            and p.proname = any (monitoring._functions_of_readers())
            and p.proowner <> to_regrole(v_wanted)
    loop
        -- Whoever comes to own something in a schema must have the right to create there.
        execute format('grant create on schema monitoring to %I', v_wanted);
        execute format('alter routine %s owner to %I', v_routine, v_wanted);
        if v_wanted = 'monitoring_reader' then
            revoke create on schema monitoring from monitoring_reader;
        end if;
    end loop;
end
$$;

-- The private functions that run with the rights of whoever calls the given ones, by name: what
-- they call, and what that calls. All views are among the callers where p_has_views says so.
--
-- A body in SQL is looked up in the catalogue, as is a view; of one in PL/pgSQL the text is read.
-- An entry point that runs with its owner's rights needs none of what it calls to be granted, and
-- a text that is executed shows nothing: what such a one calls is named below.
create or replace function monitoring._private_functions_of(p_names text[], p_has_views boolean)
returns text[]
language sql
stable
begin atomic
    with recursive routines as materialized (
        select
            p.oid as routine_id,
            p.proname::text as routine_name,
            p.prosecdef as has_own_rights,
            case
                when l.lanname = 'plpgsql' and not p.prosecdef
                    then regexp_replace(p.prosrc, '--[^' || chr(10) || ']*', '', 'g')
            end as body
        from pg_proc as p
        inner join pg_language as l on p.prolang = l.oid
        where p.pronamespace = 'monitoring'::regnamespace
    ),

    calls as materialized (
        select
            d.objid as caller_id,
            d.refobjid as callee_id
        from pg_depend as d
        where d.classid = 'pg_proc'::regclass and d.refclassid = 'pg_proc'::regclass
        union all
        select
            r.routine_id as caller_id,
            c.routine_id as callee_id
        from routines as r
        cross join lateral regexp_matches(r.body, 'monitoring[.]([a-z_]+)', 'g') as n (words)
        inner join routines as c on n.words[1] = c.routine_name
    ),

    needed as (
        select r.routine_id from routines as r where r.routine_name = any(p_names)
        union
        select d.refobjid
        from pg_rewrite as w
        inner join pg_class as v on w.ev_class = v.oid
        inner join pg_depend as d on w.oid = d.objid and d.classid = 'pg_rewrite'::regclass
        where p_has_views and v.relnamespace = 'monitoring'::regnamespace
            and d.refclassid = 'pg_proc'::regclass
        union
        select c.callee_id
        from needed as n
        inner join routines as r on n.routine_id = r.routine_id and not r.has_own_rights
        inner join calls as c on n.routine_id = c.caller_id
    )

    select coalesce(array_agg(distinct r.routine_name), '{}')
    from needed as n
    inner join routines as r on n.routine_id = r.routine_id
    where starts_with(r.routine_name, '_');
end;

-- Grants a role the schema and all functions of the given names, when the cluster has that role.
--
-- Grants as data: which role may call which functions.
create or replace function monitoring._grant_functions(p_role text, p_names text[]) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_routine regprocedure;
    v_unknown text;
begin
    select n.name into v_unknown
    from unnest(p_names) n (name)
    where not exists (
        select from pg_proc p
        where p.pronamespace = 'monitoring'::regnamespace and p.proname = n.name
    )
    limit 1;
    if v_unknown is not null then
        raise exception 'grants.sql names a function that does not exist: %', v_unknown;
    end if;
    if to_regrole(p_role) is null then
        return;
    end if;
    execute format('grant usage on schema monitoring to %I', p_role);
    for v_routine in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'monitoring'::regnamespace and p.proname = any(p_names)
    loop
        execute format('grant execute on function %s to %I', v_routine, p_role);
    end loop;
end
$$;

-- Grants a role all views, when the cluster has that role.
create or replace function monitoring._grant_views(p_role text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_view regclass;
begin
    if to_regrole(p_role) is null then
        return;
    end if;
    for v_view in
        select c.oid::regclass from pg_class c
        where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'v'
    loop
        execute format('grant select on %s to %I', v_view, p_role);
    end loop;
end
$$;

-- Grants a role every right in the schema, when the cluster has that role.
create or replace function monitoring._grant_everything(p_role text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if to_regrole(p_role) is null then
        return;
    end if;
    execute format('grant all on schema monitoring to %I', p_role);
    execute format('grant all on all tables in schema monitoring to %I', p_role);
    execute format('grant all on all sequences in schema monitoring to %I', p_role);
    execute format('grant all on all routines in schema monitoring to %I', p_role);
end
$$;

-- Functions are everyone's when they are made, so this follows the last of them.
revoke all on schema monitoring from public;
revoke all on all tables in schema monitoring from public;
revoke all on all sequences in schema monitoring from public;
revoke all on all routines in schema monitoring from public;

do $$
declare
    v_reading text [] := array[
        'clock', 'version', 'message_template', 'error_fingerprint',
        'get_installation', 'get_dashboard_summary', 'get_dashboard_cards', 'severities',
        'get_trend_points', 'get_ended_tasks', 'get_ended_batch_runs',
        'get_jobs', 'get_job_runs', 'get_error_occurrences', 'get_releases', 'get_chart_marks',
        'get_search_results',
        'get_daily_report', 'get_workflow_verdicts', 'get_job_verdicts', 'get_news',
        -- roll-ups
        'approx_percentile', 'merge_histograms',
        'get_task_statistics', 'get_trend_resolution', 'get_queue_trends', 'self_check',
        -- alerts
        'explain_alert',
        -- ETL
        'get_etl_execution_summary', 'get_etl_health_status', 'get_etl_metric_statistics',
        -- records
        'key_of_record', 'get_record_timeline',
        -- sources: the queries over them, which readers' rights read
        '_as_time', '_as_count', '_as_date', '_status_code', '_refuse_type',
        -- and the views over what was adopted
        '_adopted_since', '_adopted_running', '_most_adopted_runs', '_adopted_span',
        '_adopted_totals',
        -- configuration
        'get_config', 'get_config_schema',
        -- workflows
        'get_workflow', 'get_workflow_schema', 'business_date_of', 'get_batch_timeline',
        'get_step_runs', 'get_batch_performance', 'get_batch_health',
        -- fleets: what a member tells, and what a hub knows
        'get_fleet_changes', 'get_fleet_rollups', 'get_fleet_statistics',
        -- queues, components and records as people look at them
        'get_queues', 'get_components', 'get_component_trends', 'get_datasets',
        'get_invalid_by_day',
        -- cron expressions
        'next_cron_time'
    ];
    v_recording text [] := array[
        'clock', 'version', 'message_template', 'error_fingerprint',
        'start_task_tracking', 'update_task_progress', 'complete_task_tracking',
        'record_finished_tasks', 'record_error', 'record_errors',
        'record_performance_metric', 'record_metrics', 'record_batch', 'record_log', 'record_logs',
        'update_system_health', 'record_queue_metrics', 'record_ping', 'record_expected_runs',
        'record_release',
        'raise_alert', 'clear_alert',
        -- ETL
        'start_etl_execution', 'finish_etl_execution', 'log_etl_event', 'record_etl_metric',
        -- records: statuses
        'track_status_changes', 'track_all_status_changes_from_source',
        -- records
        'key_of_record', 'log_invalid_records', 'sync_invalid_records',
        'auto_resolve_invalid_records',
        'track_record_products', 'log_program_execution', 'update_daily_summary',
        -- records: loading what happened before
        'load_invalid_records', 'load_status_changes'
    ];
    v_deciding text [] := array[
        'resolve_error_group', 'mute_error_group', 'reopen_error_group', 'merge_error_groups',
        'split_error_group', 'learn_error_groups', 'roll_up', 'rebuild_rollups',
        -- alerts
        'evaluate_alerts', 'check_error_rate_alerts', 'check_processing_performance_alerts',
        'check_system_health_alerts', 'check_queue_backlog_alerts', 'resolve_resolved_alerts',
        'acknowledge_alert', 'unacknowledge_alert', 'resolve_alert', 'silence_alerts',
        'unsilence_alerts', 'define_inhibition', 'remove_inhibition', 'reset_inhibition',
        'set_alert_thresholds', 'enable_alert_rule', 'disable_alert_rule', 'change_alert_rule', 'reset_alert_rule',
        'set_alert_owner', 'set_page_url',
        'define_expected_runs', 'remove_expected_runs',
        -- own rules and backtests
        'create_alert_rule', 'remove_alert_rule', 'backtest_alert_rule', 'backtest_rule_change',
        -- notifications
        'define_notification_channel', 'enable_notification_channel', 'disable_notification_channel', 'remove_notification_channel',
        'send_test_notification', 'retry_notification',
        -- configuration
        'apply_config',
        -- workflows
        'apply_workflow', 'remove_workflow',
        -- sources
        'enable_source', 'disable_source', 'sync_source', 'sync_sources',
        'track_all_status_changes_from_source', 'enable_source_query', 'disable_source_query',
        -- fleets
        'acknowledge_fleet_alert', 'enable_fleet_member', 'disable_fleet_member',
        -- records: statuses
        'change_dataset', 'set_allowed_transitions', 'remove_dataset', 'define_change_source',
        -- records
        'resolve_invalid_records', 'auto_resolve_invalid_records', 'update_daily_summary',
        -- pings
        'define_ping', 'remove_ping',
        -- jobs and retention
        'request_job', 'request_urgent_evaluation', 'enable_job', 'disable_job', 'reset_job', 'confirm_clock',
        'set_retention', 'reset_retention', 'set_partitions_ahead', 'set_name_limit',
        'cleanup_old_monitoring_data'
    ];
begin
    perform monitoring._hand_over_to_admin();
    v_recording := v_recording || monitoring._private_functions_of(v_recording, false);
    v_reading := v_reading || monitoring._private_functions_of(v_reading, true);
    v_deciding := v_deciding || monitoring._private_functions_of(v_deciding, false);
    perform monitoring._grant_functions('monitoring_writer', v_recording);
    perform monitoring._grant_functions('monitoring_reader', v_reading);
    perform monitoring._grant_views('monitoring_reader');
    perform monitoring._grant_functions('monitoring_operator', v_reading || v_deciding);
    perform monitoring._grant_views('monitoring_operator');
    perform monitoring._grant_everything('monitoring_admin');
end
$$;
