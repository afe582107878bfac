-- A configuration is applied entry by entry, through the functions that people call, and all or
-- nothing. Writes rules, thresholds, channels, silences, inhibitions, retention, expected runs and
-- plans of jobs.
-- Lock order: configurations wait for each other, then _lock_alerts(), then rows.

-- Settings with some of them changed: those not named stay, and within thresholds and parameters
-- as well.
create or replace function monitoring._merged_settings(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key text;
    v_value jsonb;
    v_result jsonb := coalesce(p_old, '{}');
begin
    for v_key, v_value in select n.key, n.value from jsonb_each(p_new) n loop
        if v_key in ('thresholds', 'parameters') and jsonb_typeof(v_value) = 'object'
            and jsonb_typeof(v_result -> v_key) = 'object' then
            v_value := v_result -> v_key || v_value;
        end if;
        if v_key = 'thresholds' then
            v_value := coalesce(nullif(jsonb_strip_nulls(v_value), '{}'), 'null');
        end if;
        v_result := v_result || jsonb_build_object(v_key, v_value);
    end loop;
    return v_result;
end
$$;

-- Policies of a table with some of them changed, each as text that get_config() gives for it.
create or replace function monitoring._wanted_retention(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new jsonb := p_new;
begin
    if jsonb_typeof(p_new) = 'string' then
        v_new := jsonb_build_object('', p_new);
    end if;
    return coalesce(p_old, '{}') || (
        select jsonb_object_agg(
            n.key,
            case n.value
                when 'forever' then 'forever'
                else monitoring._length_in_words(justify_hours(n.value::interval))
            end
        )
        from jsonb_each_text(v_new) n
    );
end
$$;

-- Entries of the sections of a configuration that have names, each with its full path.
create or replace function monitoring._config_entries(p_config jsonb)
returns table (section text, name text, path text, settings jsonb)
language sql
stable
begin atomic
    select
        'rules' as section,
        monitoring._best_known_rules() ->> t.key as name,
        'alert_thresholds.' || t.key as path,
        jsonb_build_object('thresholds', t.value) as settings
    from jsonb_each(p_config -> 'alert_thresholds') as t
    union all
    select
        s.section,
        e.key as name,
        s.section || '.' || e.key as path,
        e.value as settings
    from unnest(
            array['rules', 'channels', 'retention', 'expected_runs', 'jobs']
        ) with ordinality as s (section, position)
    cross join lateral jsonb_each(p_config -> s.section) as e;
end;

-- Changes what an entry of a configuration says otherwise than it is.
create or replace function monitoring._configure_entry(
    p_section text, p_name text, p_settings jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old jsonb := monitoring._config_entry(p_section, p_name);
    v_new jsonb;
begin
    if p_section = 'retention' then
        v_new := monitoring._wanted_retention(v_old, p_settings);
    elsif p_settings <> 'null' then
        v_new := monitoring._merged_settings(v_old, p_settings);
    end if;
    if v_new is not distinct from v_old then
        return;
    end if;
    case p_section
        when 'rules' then
            perform monitoring._configure_rule(p_name, v_old, v_new);
        when 'channels' then
            perform monitoring._configure_channel(p_name, v_new);
        when 'retention' then
            perform monitoring.set_retention(
                p_name, nullif(n.value, 'forever')::interval, n.key
            )
            from jsonb_each_text(v_new) n
            where n.value is distinct from v_old ->> n.key;
        when 'expected_runs' then
            perform monitoring._configure_expected_run(p_name, v_new);
        else
            perform monitoring._configure_job(p_name, v_old, v_new);
    end case;
end
$$;

-- Makes a silence unless it is there, was there or has ended.
create or replace function monitoring._configure_silence(p_silence jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_start timestamptz := (p_silence ->> 'starts_at')::timestamptz;
    v_end timestamptz := (p_silence ->> 'ends_at')::timestamptz;
    v_is_until_resolved boolean := coalesce((p_silence ->> 'is_until_resolved')::boolean, false);
begin
    if v_end is null and not v_is_until_resolved then
        raise exception using
            errcode = 'PV005',
            message = 'the silence would never end',
            hint = 'Give ends_at, or is_until_resolved: true.';
    end if;
    -- One that has ended, by its time or by somebody, is not begun again.
    if v_end <= monitoring.clock() or exists (
        select from monitoring.alert_silences s
        where s.matchers = p_silence -> 'matchers'
            and s.starts_at = v_start
            and (s.ended_by is not null or s.ends_at = coalesce(v_end, 'infinity'))
            and s.is_until_resolved = v_is_until_resolved
            and s.note is not distinct from p_silence ->> 'note'
    ) then
        return;
    end if;
    perform monitoring.silence_alerts(
        p_silence -> 'matchers', v_end - v_start, p_silence ->> 'note', p_silence ->> 'created_by',
        v_start, v_is_until_resolved
    );
end
$$;

-- Removes the inhibitions that a configuration no longer names.
create or replace function monitoring._configure_inhibitions(p_inhibitions jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.uninhibit_alerts(i.source_rule, i.target_rule)
    from monitoring.alert_inhibitions i
    where not exists (
        select from jsonb_array_elements(p_inhibitions) n (wanted)
        where n.wanted ->> 'source_rule' = i.source_rule
            and n.wanted ->> 'target_rule' = i.target_rule
    );
end
$$;

-- Changes what an element of a section without names says otherwise than it is.
create or replace function monitoring._configure_element(p_section text, p_element jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_section = 'silences' then
        perform monitoring._configure_silence(p_element);
    else
        perform monitoring.inhibit_alerts(
            p_element ->> 'source_rule', p_element ->> 'target_rule', array(
                select jsonb_array_elements_text(coalesce(p_element -> 'equal_labels', '[]'))
            )
        );
    end if;
end
$$;

-- Applies each entry of a configuration that can be, and returns what is wrong with the others.
create or replace function monitoring._apply_entries(
    p_config jsonb, out p_problems text[], out p_hints text[]
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry record;
    v_hint text;
begin
    p_problems := array[]::text [];
    p_hints := array[]::text [];
    for v_entry in
        select e.section, e.name, e.path, e.settings
        from monitoring._config_entries(p_config) e
        union all
        select s.section, null, format('%s[%s]', s.section, a.position - 1), a.element
        from unnest(array['silences', 'inhibitions']) s (section)
        cross join lateral jsonb_array_elements(p_config -> s.section)
            with ordinality a (element, position)
    loop
        begin
            if v_entry.name is null then
                perform monitoring._configure_element(v_entry.section, v_entry.settings);
            else
                perform monitoring._configure_entry(
                    v_entry.section, v_entry.name, v_entry.settings
                );
            end if;
        exception
            when others then
                if sqlstate !~ '^(PV|22)' then
                    raise;
                end if;
                get stacked diagnostics v_hint = pg_exception_hint;
                p_problems := p_problems || format('%s: %s', v_entry.path, sqlerrm);
                p_hints := p_hints || coalesce(
                    nullif(v_hint, ''), format('Give %s as docs/configuration.md says.', v_entry.path)
                );
        end;
    end loop;
end
$$;

-- Raises PV009 unless a configuration fits the schema.
create or replace function monitoring._check_config(p_config jsonb) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_schema constant jsonb := monitoring.get_config_schema();
    v_problems text [];
    v_hints text [];
begin
    select array_agg(p.problem), array_agg(p.hint) into v_problems, v_hints
    from (
        select c.problem, c.hint
        from monitoring._config_problems(
            'configuration', coalesce(p_config, 'null'), v_schema, v_schema -> '$defs'
        ) c
        union all
        select
            format('rules.%s.thresholds and alert_thresholds.%s are the same', k.value, k.key),
            'Give one of them.'
        from jsonb_each_text(monitoring._best_known_rules()) k
        where p_config -> 'alert_thresholds' ? k.key
            and p_config -> 'rules' -> k.value ? 'thresholds'
    ) p;
    if v_problems is not null then
        perform monitoring._refuse_config(v_problems, v_hints);
    end if;
end
$$;

create or replace function monitoring.apply_config(p_config jsonb) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before jsonb;
    v_problems text [];
    v_hints text [];
begin
    perform monitoring._check_config(p_config);
    perform monitoring._guard('configuration');
    perform monitoring._lock_alerts();
    v_before := monitoring.get_config();
    if p_config ? 'inhibitions' then
        perform monitoring._configure_inhibitions(p_config -> 'inhibitions');
    end if;
    select a.p_problems, a.p_hints into v_problems, v_hints
    from monitoring._apply_entries(p_config) a;
    if cardinality(v_problems) > 0 then
        perform monitoring._refuse_config(v_problems, v_hints);
    end if;
    return monitoring._config_changes(null, v_before, monitoring.get_config());
end
$$;

comment on function monitoring.apply_config(jsonb) is
'Makes the configuration what a document says, all or nothing; what it does not name stays. '
'Returns what changed: an object of from and to by full path.';
