-- Getting to know the names in new rows before they are added up, and what becomes of the others.

-- What to read the samples of a source from: its view, or, once the limit of its names is
-- reached, a query in which names that are not known are "(other)".
create or replace function monitoring._folded_samples(p_source text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_view constant text := format('monitoring.%I', '_samples_of_' || p_source);
    -- Of all but metrics the label is one of few words.
    v_is_label_a_name constant boolean := p_source = 'metrics';
begin
    if not exists (select from monitoring._reached_limits r where r.kind = p_source) then
        return v_view;
    end if;
    -- Looked up in a hash, whatever the planner thinks of how many there are.
    return format(
        '(select case when x.is_known then x.name else ''(other)'' end as name,'
        ' case when x.is_known or not %L then x.label else '''' end as label,'
        ' case when x.is_known or x.component = '''' then x.component else ''(other)'' end'
        ' as component, x.happened_at, x.value, x.recorded_xid, x.is_new, x.is_late'
        ' from (select v.*, (v.name, v.component, case when %L then v.label else '''' end) in ('
        'select k.name, k.component, k.label from monitoring._known_names k where k.kind = %L'
        ') as is_known from %s v) x)',
        v_is_label_a_name, v_is_label_a_name, p_source, v_view
    );
end
$$;

-- Gets to know names of a source; true when its limit is reached now.
create or replace function monitoring._reaches_limit(
    p_source text, p_names text[], p_components text[], p_labels text[]
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_names is null then
        return false;
    end if;
    perform monitoring._admit_names(p_source, p_names, p_components, p_labels);
    return exists (select from monitoring._reached_limits l where l.kind = p_source);
end
$$;

-- Gets to know the names in the new rows of a source whose limit was reached before: what is
-- added up of it has them folded.
create or replace function monitoring._meet_names(
    p_source text, p_below bigint, p_still_open bigint[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set max_parallel_workers_per_gather = 0
as $$
declare
    v_names text [];
    v_components text [];
    v_labels text [];
begin
    execute format(
        'select array_agg(n.name), array_agg(n.component), array_agg(n.label)'
        ' from (select distinct s.name, s.component, case when %L then s.label else '''' end as label'
        ' from monitoring.%I s'
        ' where s.is_new and s.recorded_xid < $1 and s.recorded_xid <> all ($2)'
        ' and (s.is_late or s.happened_at >= $3)) n',
        p_source = 'metrics', '_samples_of_' || p_source
    )
    into v_names, v_components, v_labels
    using p_below, p_still_open,
        (select monitoring._open_since(c.table_name) from monitoring._claims c
        where c.source = p_source);
    perform monitoring._reaches_limit(p_source, v_names, v_components, v_labels);
end
$$;

-- Gets to know the groups of new errors.
create or replace function monitoring._meet_error_groups(p_below bigint, p_still_open bigint[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fingerprints text [];
    v_empty text [];
begin
    v_fingerprints := array(
        select distinct e.fingerprint
        from monitoring._new_errors() e
        where e.recorded_xid < p_below and e.recorded_xid <> all (p_still_open)
    );
    v_empty := array_fill(''::text, array[cardinality(v_fingerprints)]);
    perform monitoring._admit_names('error_groups', v_fingerprints, v_empty, v_empty);
end
$$;
