-- Late rows: what is not of today or yesterday in UTC, or finds no partition, goes into a small
-- table of its own, late_<table>, and place_late_rows() takes it from there to its day. So
-- recording makes no partition and waits for nobody, and a day that is over gets no more rows.

-- Whether a row of the given time goes into the late table.
create or replace function monitoring._is_late(p_table text, p_at timestamptz) returns boolean
language sql
volatile
return not (monitoring._is_recent(p_at) and monitoring._has_partition(p_table, p_at));

-- Which of the two tables a row of the given time goes into.
create or replace function monitoring._table_for(p_table text, p_at timestamptz) returns text
language sql
volatile
return case when monitoring._is_late(p_table, p_at) then 'late_' else '' end || p_table;

-- Raises check_violation, as a missing partition does, for a time before yesterday.
create or replace function monitoring._tell_late(p_at timestamptz) returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_at timestamptz := monitoring._event_time(p_at);
begin
    if monitoring._is_recent(v_at) then
        return v_at;
    end if;
    raise check_violation using message = format('%s is late', v_at);
end
$$;

-- The time a caller gave, or now; raises check_violation for one before p_since, and what is
-- raised for one that is no row's.
create or replace function monitoring._recent_time(p_at timestamptz, p_since timestamptz)
returns timestamptz
language sql
volatile
return case
    when p_at is null then monitoring.clock()
    when p_at >= p_since and p_at <= monitoring.clock() + '24 hours'::interval then p_at
    else monitoring._tell_late(p_at)
end;

-- Names of the columns of a relation of ours, in order; null when there is none.
create or replace function monitoring._columns_of(p_relation_name text) returns text[]
language sql
stable
return (
    select array_agg(a.attname::text order by a.attnum)
    from pg_attribute as a
    where
        a.attrelid = to_regclass('monitoring.' || p_relation_name)
        and a.attnum > 0
        and not a.attisdropped
);

-- Makes the view of all rows of a table. Whoever reads takes it, for a row is in the table or waits
-- to be placed at any moment. Recording calls read it as well, and must not wait for a deploy: it
-- is left alone while it has the table's columns. A migration that adds one makes the view anew.
create or replace function monitoring._unite_late_rows(p_table_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if monitoring._columns_of(p_table_name) = monitoring._columns_of('_all_' || p_table_name) then
        return;
    end if;
    execute format(
        'create or replace view monitoring.%I as'
        ' select t.* from monitoring.%I t union all select l.* from monitoring.%I l',
        '_all_' || p_table_name, p_table_name, 'late_' || p_table_name
    );
    execute format(
        'comment on view monitoring.%I is %L', '_all_' || p_table_name,
        format('Rows of %s, those that wait to be placed included.', p_table_name)
    );
end
$$;
