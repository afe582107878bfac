-- What happened in a window of time that ends at an arbitrary moment, for rules: whole minutes from
-- roll-ups, together with the rows that are not rolled up yet and those of the minutes at both ends
-- that are not in the window as a whole. Reads rollups and the tables that they are made of.

-- From when on the stored minutes of a source are complete, but for what is not rolled up yet.
-- Goes by the last roll-up rather than by the clock, which a backtest sets back.
create or replace function monitoring._minutes_stored_since(p_source text) returns timestamptz
language sql
stable
return coalesce(
    (
        select greatest(monitoring._kept_from(p.keep, r.rolled_up_at), p.removed_before)
        from monitoring.rollup_progress as r
        cross join monitoring.retention_policies as p
        where r.source = p_source and p.table_name = 'rollups' and p.category = 'minute'
    ),
    '-infinity'
);

-- A source, as roll-ups know it, by name, label, component and minute, after one time and until
-- another, the latter included: exact to the row as long as rows are kept. A minute may be in
-- several rows.
create or replace function monitoring._counted_by_minute(
    p_source text, p_from timestamptz, p_to timestamptz
)
returns table (
    source text,
    name text,
    label text,
    component text,
    resolution text,
    bucket_at timestamptz,
    row_count bigint,
    value_count bigint,
    value_sum double precision,
    value_sum_squares double precision,
    value_min double precision,
    value_max double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- The rows that are read are few, and to start workers takes longer than to find them.
set max_parallel_workers_per_gather = 0
set enable_seqscan = off
as $$
-- What the statement returns is seen when it runs:
-- @plpgsql_check_options: extra_warnings = off
declare
    v_microsecond constant interval := interval '1 microsecond';
    v_from timestamptz := p_from + v_microsecond;
    v_to timestamptz := p_to + v_microsecond;
    v_stored_from timestamptz := date_bin(
        '1 minute',
        greatest(v_from, monitoring._minutes_stored_since(p_source))
            + interval '1 minute' - v_microsecond,
        '1970-01-01 00:00+00'
    );
    v_stored_to timestamptz := date_bin('1 minute', v_to, '1970-01-01 00:00+00');
    v_table text;
begin
    select c.table_name into v_table from monitoring._claims c where c.source = p_source;
    if v_stored_from >= v_stored_to then
        v_stored_from := v_to;
        v_stored_to := v_to;
    end if;
    -- Planned for its arguments, so that only the days of the window are looked at.
    return query execute format(
        'select r.source, r.name, r.label, r.component, r.resolution, r.bucket_at, r.row_count,'
        ' r.value_count, r.value_sum, r.value_sum_squares, r.value_min, r.value_max'
        ' from monitoring.rollups r'
        ' where r.source = $1 and r.resolution = $6 and r.bucket_at >= $3 and r.bucket_at < $4'
        ' union all'
        ' select $1, s.name, s.label, s.component, $6, s.bucket_at, count(*), count(s.value),'
        ' coalesce(sum(monitoring._summable(s.value)), 0),'
        ' coalesce(sum(monitoring._summable(s.value) * monitoring._summable(s.value)), 0),'
        ' min(s.value), max(s.value)'
        ' from ('
        '  select n.name, n.label, n.component, n.value,'
        '  date_bin(''1 minute'', n.happened_at, ''1970-01-01 00:00+00'') as bucket_at'
        '  from ('
        '   select n.* from monitoring.%1$I n'
        '   where n.is_new and n.recorded_xid >= $8'
        '   and n.happened_at >= $3 and n.happened_at < $4'
        '   and (n.is_late or n.happened_at >= $7)'
        '   union all'
        '   select b.* from monitoring.%1$I b where b.happened_at >= $2 and b.happened_at < $3'
        '   union all'
        '   select e.* from monitoring.%1$I e where e.happened_at >= $4 and e.happened_at < $5'
        '  ) n'
        ' ) s group by s.name, s.label, s.component, s.bucket_at',
        '_samples_of_' || p_source
    )
    using p_source, v_from, v_stored_from, v_stored_to, v_to, 'minute',
        monitoring._open_since(v_table), monitoring._first_new_transaction(v_table);
end
$$;

-- A source, as roll-ups know it, by name, label and component, after one time and until another,
-- the latter included: exact to the row as long as rows are kept.
create or replace function monitoring._counted_between(
    p_source text, p_from timestamptz, p_to timestamptz
)
returns table (
    name text,
    label text,
    component text,
    row_count bigint,
    value_count bigint,
    value_sum double precision,
    value_sum_squares double precision,
    value_min double precision,
    value_max double precision
)
language sql
stable
begin atomic
    select
        m.name,
        m.label,
        m.component,
        sum(m.row_count)::bigint as row_count,
        sum(m.value_count)::bigint as value_count,
        sum(m.value_sum) as value_sum,
        sum(m.value_sum_squares) as value_sum_squares,
        min(m.value_min) as value_min,
        max(m.value_max) as value_max
    from monitoring._counted_by_minute(p_source, p_from, p_to) as m
    group by m.name, m.label, m.component;
end;

-- A parameter of a rule that is a number of minutes, as an interval.
create or replace function monitoring._span_of(p_rule monitoring.alert_rules, p_parameter text)
returns interval
language sql
stable
return make_interval(secs => 60 * ((p_rule).parameters ->> p_parameter)::double precision);

-- Length of a rule's window, from its parameter window_minutes; an hour when there is none.
create or replace function monitoring._minutes_of(p_rule monitoring.alert_rules) returns interval
language sql
stable
return coalesce(monitoring._span_of(p_rule, 'window_minutes'), '1 hour');
