-- Every finding of plpgsql_check in schema monitoring, one a row: routine, line, level, finding.
-- A trigger function is checked against each table that uses it, with the names that status
-- triggers give to the rows before and after, and is a finding if none does.
-- A body that must differ says so in itself, in a comment such as this one with its reason:
--     @plpgsql_check_options: security_warnings = off
-- Finders and explainers of alert rules, and what changes sections of the configuration, have one
-- signature each, whether one needs all of it or not.
-- Advice on volatility is dropped where plpgsql_check adds that it cannot know for dynamic SQL.
with routines as (
    select
        routine.oid as routine_id,
        usage.tgrelid as table_id,
        routine.prorettype = 'trigger'::regtype as is_trigger
    from pg_catalog.pg_proc as routine
    inner join pg_catalog.pg_language as language on routine.prolang = language.oid
    left join pg_catalog.pg_trigger as usage on routine.oid = usage.tgfoid
    where
        routine.pronamespace = 'monitoring'::regnamespace
        and language.lanname = 'plpgsql'
    group by routine.oid, usage.tgrelid
)

select
    routines.routine_id::regprocedure::text as routine,
    finding.lineno as line,
    finding.level,
    concat_ws(
        E'\n    ',
        finding.message,
        'detail: ' || finding.detail,
        'hint: ' || finding.hint,
        'in: ' || finding.query
    ) as finding
from routines
cross join
    lateral tap.plpgsql_check_function_tb(
        routines.routine_id,
        coalesce(routines.table_id, 0),
        fatal_errors => false,
        other_warnings => true,
        performance_warnings => true,
        extra_warnings => true,
        security_warnings => true,
        oldtable => case when routines.is_trigger then 'old_rows' end,
        newtable => case when routines.is_trigger then 'new_rows' end
    ) as finding
where
    not (routines.is_trigger and routines.table_id is null)
    and coalesce(finding.detail, '') not like 'attention: cannot to determine volatility%'
    and not (
        routines.routine_id::regprocedure::text
        ~ '_(find|explain)_[a-z_]+\((alert_rules|raised_alerts),'
        and finding.message ~ '^unused parameter "p_(rule|alert|now|limit)"$'
    )
    and not (
        routines.routine_id::regprocedure::text ~ '^_configure_[a-z_]+\(text,jsonb,jsonb\)$'
        and finding.message ~ '^unused parameter "p_(name|old)"$'
    )
union all
select
    routines.routine_id::regprocedure::text as routine,
    null as line,
    'error' as level,
    'trigger function that no table uses' as finding
from routines
where routines.is_trigger and routines.table_id is null
order by routine, line
