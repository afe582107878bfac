-- The configuration as one document. Each of its sections has two functions that are found by its
-- name: _<section>_config() says what people decided, and _configure_<section>(name, old, new)
-- changes one entry, or with a new of null takes it back. Where we ship something as well, a third
-- one, _whole_<section>_config(), says all that counts. Reads all that apply_config() writes.

-- Sections of a configuration in the order in which they are applied: what others refer to or what
-- changes others as well comes first.
create or replace function monitoring._config_sections()
returns table (section text, place bigint)
language sql
immutable
begin atomic
    select
        s.section,
        s.place
    from
        unnest(array[
            'page_url', 'name_limits', 'partitions_ahead', 'change_sources', 'datasets',
            'source_queries', 'alert_thresholds', 'workflows', 'rules', 'inhibitions', 'channels',
            'alert_owners', 'silences', 'expected_runs', 'retention', 'sources', 'jobs',
            'merged_error_groups', 'error_groups'
        ]) with ordinality as s (section, place);
end;

-- A section of the configuration: what people decided, or all that counts.
create or replace function monitoring._config_section(p_section text, p_is_complete boolean)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
-- The name is one of _config_sections().
-- @plpgsql_check_options: security_warnings = off
declare
    v_name text := format('_whole_%s_config', p_section);
    v_config jsonb;
begin
    if not p_is_complete or to_regproc('monitoring.' || v_name) is null then
        v_name := format('_%s_config', p_section);
    end if;
    execute format('select monitoring.%I()', v_name) into v_config;
    return v_config;
end
$$;

create or replace function monitoring.get_config(p_is_complete boolean default false)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select
            jsonb_object_agg(s.section, monitoring._config_section(s.section, p_is_complete))
            || case when p_is_complete then '{"is_complete": true}' else '{}' end::jsonb
        from monitoring._config_sections() s
    );
end
$$;

comment on function monitoring.get_config(boolean) is
'All that people decided, or complete with what is as shipped, as one document. apply_config() of '
'it changes nothing, and makes another database the same.';

create or replace view monitoring.monitoring_config as
select
    s.key as section,
    e.name,
    e.settings,
    e.decided
from (
    select
        monitoring.get_config(true) - 'is_complete' as complete,
        monitoring.get_config() as decided
) as c
cross join lateral jsonb_each(c.complete) as s
cross join lateral (
    select
        o.key as name,
        o.value as settings,
        c.decided -> s.key -> o.key as decided
    from jsonb_each(case jsonb_typeof(s.value) when 'object' then s.value end) as o
    union all
    select
        (a.position - 1)::text as name,
        a.value as settings,
        case when c.decided -> s.key @> jsonb_build_array(a.value) then a.value end as decided
    from jsonb_array_elements(case jsonb_typeof(s.value) when 'array' then s.value end)
        with ordinality as a (value, position)
    union all
    select
        null as name,
        s.value as settings,
        s.value as decided
    where jsonb_typeof(s.value) not in ('object', 'array', 'null')
) as e;

comment on view monitoring.monitoring_config is
'What get_config() says of all that counts, one row an entry.';
comment on column monitoring.monitoring_config.section is
'Section of the document, such as rules.';
comment on column monitoring.monitoring_config.name is
'Name of the entry within its section; its place, counted from 0, where it has no name; null for a '
'section that is one value.';
comment on column monitoring.monitoring_config.settings is
'Settings of the entry.';
comment on column monitoring.monitoring_config.decided is
'What people decided of them; null as shipped.';
