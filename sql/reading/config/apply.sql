-- A configuration is applied section by section and entry by entry, through the functions that
-- people call, and all or nothing.
-- Lock order: configurations wait for each other, then _lock_alerts(), then rows.

-- Raises insufficient_privilege unless whoever calls may register what runs or is read with our
-- rights. Not by current_user: here that is the owner.
create or replace function monitoring._check_may_register(p_what text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_caller constant text := coalesce(
        nullif(current_setting('role'), 'none'), session_user::text
    );
begin
    if not pg_has_role(v_caller, 'monitoring_admin', 'usage') then
        raise insufficient_privilege using
            message = format('%s may not register %s', v_caller, p_what),
            hint = 'Have a member of monitoring_admin apply it: registered sources are trusted.';
    end if;
end
$$;

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
    v_result jsonb := case when jsonb_typeof(p_old) = 'object' then p_old else '{}' end;
begin
    if jsonb_typeof(p_new) is distinct from 'object' then
        return p_new;
    end if;
    for v_key, v_value in select n.key, n.value from jsonb_each(p_new) n loop
        if v_key in ('thresholds', 'parameters') and jsonb_typeof(v_value) = 'object'
            and jsonb_typeof(v_result -> v_key) = 'object' then
            v_value := v_result -> v_key || v_value;
        end if;
        v_result := v_result || jsonb_build_object(v_key, v_value);
    end loop;
    return v_result;
end
$$;

-- What a configuration says of a section, entry by entry: its path, its name where it has one, how
-- it is and how it is to be. Elements that an array no longer has come first. What changes nothing
-- is left out.
create or replace function monitoring._config_entries(p_section text, p_old jsonb, p_new jsonb)
returns table (path text, name text, old jsonb, new jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if jsonb_typeof(p_new) = 'object' then
        return query
        select format('%s.%s', p_section, n.key), n.key, nullif(p_old -> n.key, 'null'),
            nullif(n.value, 'null')
        from jsonb_each(p_new) n
        where monitoring._merged_settings(nullif(p_old -> n.key, 'null'), nullif(n.value, 'null'))
            is distinct from nullif(p_old -> n.key, 'null');
    elsif jsonb_typeof(p_new) = 'array' then
        return query
        select p_section, null::text, o.element, null::jsonb
        from jsonb_array_elements(p_old) o (element)
        where not exists (
            select from jsonb_array_elements(p_new) n (element)
            where o.element || n.element = o.element
        );
        return query
        select format('%s[%s]', p_section, n.place - 1), null::text, null::jsonb, n.element
        from jsonb_array_elements(p_new) with ordinality n (element, place)
        where not exists (
            select from jsonb_array_elements(p_old) o (element) where o.element = n.element
        );
    elsif p_new is distinct from p_old then
        return query select p_section, null::text, p_old, nullif(p_new, 'null');
    end if;
end
$$;

-- Applies what a configuration removes from one section, or else what it makes and changes there,
-- as far as it can be, and returns what is wrong with the rest.
create or replace function monitoring._apply_section(
    p_section text, p_new jsonb, p_is_removing boolean, out p_problems text[], out p_hints text[]
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The name is one of _config_sections().
-- @plpgsql_check_options: security_warnings = off
declare
    v_entry record;
    v_hint text;
begin
    for v_entry in
        select e.path, e.name, e.old, e.new
        from monitoring._config_entries(
            p_section, monitoring._config_section(p_section, false), p_new
        ) e
        where (e.new is null) = p_is_removing
    loop
        begin
            execute format('select monitoring.%I($1, $2, $3)', '_configure_' || p_section)
            using v_entry.name, v_entry.old, v_entry.new;
        exception
            when others then
                if sqlstate !~ '^(PV|22|42501)' then
                    raise;
                end if;
                get stacked diagnostics v_hint = pg_exception_hint;
                p_problems := p_problems || case sqlstate
                    -- It names paths of its own.
                    when 'PV009'
                        then substr(
                            replace(
                                E'\n' || sqlerrm, E'\nworkflow', E'\n' || v_entry.path
                            ),
                            2
                        )
                    else format('%s: %s', v_entry.path, sqlerrm)
                end;
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

-- What an entry says otherwise than it is; within thresholds and parameters as well.
create or replace function monitoring._news_of(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- How long all rows of a table are kept, beside an object of that by category.
    if jsonb_typeof(p_old) = 'string' and jsonb_typeof(p_new) = 'object' then
        p_old := jsonb_build_object('', p_old);
    elsif jsonb_typeof(p_old) = 'object' and jsonb_typeof(p_new) = 'string' then
        p_new := jsonb_build_object('', p_new);
    end if;
    if jsonb_typeof(p_old) is distinct from 'object' or jsonb_typeof(p_new) <> 'object' then
        return p_new;
    end if;
    return (
        select coalesce(
            jsonb_object_agg(
                n.key,
                case
                    when n.key in ('thresholds', 'parameters')
                        then monitoring._news_of(p_old -> n.key, n.value)
                    else n.value
                end
            ),
            '{}'
        )
        from jsonb_each(p_new) n
        where n.value is distinct from p_old -> n.key
    );
end
$$;

-- A complete configuration without what it says as it is: that is no decision.
create or replace function monitoring._without_what_counts(
    p_config jsonb, p_complete jsonb, p_decided jsonb
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                s.key,
                case jsonb_typeof(s.value)
                    when 'object' then (
                        select coalesce(
                            jsonb_object_agg(
                                e.key, monitoring._news_of(p_complete -> s.key -> e.key, e.value)
                            ),
                            '{}'
                        )
                        from jsonb_each(s.value) e
                        where e.value is distinct from p_complete -> s.key -> e.key
                    )
                    when 'array' then (
                        select coalesce(jsonb_agg(e.element order by e.place), '[]')
                        from jsonb_array_elements(s.value) with ordinality e (element, place)
                        where p_decided -> s.key @> jsonb_build_array(e.element)
                            or not p_complete -> s.key @> jsonb_build_array(e.element)
                    )
                    else s.value
                end
            ),
            '{}'
        )
        from jsonb_each(p_config) s
    );
end
$$;

-- A complete configuration with lists as they were decided: what is as shipped would only be more
-- to read in them.
create or replace function monitoring._with_decided_lists(p_complete jsonb, p_decided jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_complete || (
        select coalesce(jsonb_object_agg(s.key, s.value), '{}')
        from jsonb_each(p_decided) s
        where jsonb_typeof(s.value) = 'array'
    );
end
$$;

-- What has changed of what counts, and of what was decided beyond that, by full path.
create or replace function monitoring._changes_since(p_complete jsonb, p_decided jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_decided constant jsonb := monitoring.get_config();
    v_changes constant jsonb := monitoring._config_changes(
        null,
        monitoring._with_decided_lists(p_complete, p_decided),
        monitoring._with_decided_lists(monitoring.get_config(true), v_decided)
    );
begin
    return v_changes || coalesce(
        (
            select jsonb_object_agg(d.key, d.value)
            from jsonb_each(monitoring._config_changes(null, p_decided, v_decided)) d
            where not exists (
                select from jsonb_object_keys(v_changes) c (path)
                where starts_with(c.path || '.', d.key || '.')
                    or starts_with(d.key || '.', c.path || '.')
            )
        ),
        '{}'
    );
end
$$;

create or replace function monitoring.apply_config(p_config jsonb) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_decided constant jsonb := monitoring.get_config();
    v_before constant jsonb := monitoring.get_config(true);
    v_config jsonb := p_config;
    v_problems text [];
    v_hints text [];
    v_section text;
    v_is_removing boolean;
begin
    perform monitoring._check_config(p_config);
    perform monitoring._guard('configuration');
    perform monitoring._lock_alerts();
    if p_config -> 'is_complete' = 'true' then
        v_config := monitoring._without_what_counts(p_config, v_before, v_decided);
    end if;
    -- What goes makes room for what comes; what refers to others goes before them.
    for v_section, v_is_removing in
        select s.section, r.is_removing
        from monitoring._config_sections() s
        cross join (values (true, -1), (false, 1)) r (is_removing, direction)
        where v_config ? s.section
        order by r.direction, r.direction * s.place
    loop
        select v_problems || a.p_problems, v_hints || a.p_hints into v_problems, v_hints
        from monitoring._apply_section(v_section, v_config -> v_section, v_is_removing) a;
    end loop;
    if v_problems is not null then
        perform monitoring._refuse_config(v_problems, v_hints);
    end if;
    return monitoring._changes_since(v_before, v_decided);
end
$$;

comment on function monitoring.apply_config(jsonb) is
'Makes the configuration what a document says, all or nothing; what it does not name stays, and '
'what it says is decided. Returns what changed: an object of from and to by full path.';

create or replace function monitoring.apply_config(p_config text) returns jsonb
language sql
volatile
return monitoring.apply_config(monitoring._read_document('configuration', p_config));

comment on function monitoring.apply_config(text) is
'The same for a document in text, such as a literal, which may have comments as people write them: '
'// to the end of the line, and /* */.';
