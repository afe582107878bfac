-- How many names are told apart. A program that puts an id into a name sends a new name with each
-- call; kept one by one, they would cost every reader and every rule. So roll-ups get to know names
-- until a limit is reached, and count what is beyond as "(other)". Rows keep the names they have.
-- Names that were not seen for a week make room for others. Writes name_limits and known_names, in
-- roll-ups alone: recording asks for nothing.

create or replace view monitoring._reached_limits as
select l.kind
from monitoring.name_limits as l
where l.is_reached;

comment on view monitoring._reached_limits is
'Kinds of which names that are not known count as "(other)". A view, so that readers may ask.';

create or replace view monitoring._known_names as
select
    k.kind,
    k.name,
    k.component,
    k.label
from monitoring.known_names as k;

comment on view monitoring._known_names is
'Names that are kept apart. A view, so that readers may ask.';

create or replace view monitoring.v_name_limits as
select
    l.kind,
    l.description,
    coalesce(l.at_most, l.shipped_at_most) as at_most,
    coalesce(k.names, 0) as names,
    l.is_reached,
    l.beyond,
    l.examples,
    l.beyond_at,
    l.shipped_at_most,
    l.changed_by,
    l.changed_at
from monitoring.name_limits as l
left join (
    select
        n.kind,
        count(*) as names
    from monitoring.known_names as n
    where n.seen_at > (select monitoring.clock()) - interval '168 hours'
    group by n.kind
) as k on l.kind = k.kind;

comment on view monitoring.v_name_limits is
'How many names of each kind are kept apart, and how many there are; what comes beyond is counted '
'as "(other)".';
comment on column monitoring.v_name_limits.kind is
'tasks, errors, metrics, queues, health, error_groups, or alerts: those of one rule that are open.';
comment on column monitoring.v_name_limits.description is
'What is counted.';
comment on column monitoring.v_name_limits.at_most is
'How many are kept apart.';
comment on column monitoring.v_name_limits.names is
'How many have been seen within a week; 0 for alerts.';
comment on column monitoring.v_name_limits.is_reached is
'Whether names that are not known count as "(other)".';
comment on column monitoring.v_name_limits.beyond is
'How many names were beyond the limit in the last roll-up that met such.';
comment on column monitoring.v_name_limits.examples is
'Some of them.';
comment on column monitoring.v_name_limits.beyond_at is
'When that was; null when there never were any.';
comment on column monitoring.v_name_limits.shipped_at_most is
'How many are kept apart while nobody has decided.';
comment on column monitoring.v_name_limits.changed_by is
'Who decided; null when nobody has.';
comment on column monitoring.v_name_limits.changed_at is
'When that was.';

create or replace view monitoring._name_room as
select
    l.kind,
    greatest(l.at_most - l.names, 0) as room
from monitoring.v_name_limits as l;

comment on view monitoring._name_room is
'How many more names of each kind roll-ups will get to know.';

create or replace function monitoring.set_name_limit(
    p_kind text, p_at_most integer, p_by text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not coalesce(p_at_most, 10) between 10 and 100000 then
        perform monitoring._refuse_number('p_at_most', p_at_most::text, 'a number from 10 to 100000');
    end if;
    update monitoring.name_limits
    set
        at_most = p_at_most,
        is_reached = is_reached and coalesce(p_at_most, shipped_at_most)
            <= (select v.names from monitoring.v_name_limits v where v.kind = p_kind),
        changed_by = case
            when p_at_most is not null
                then coalesce(monitoring._checked_optional_name('by', p_by), session_user)
        end,
        changed_at = case when p_at_most is not null then monitoring.clock() end
    where kind = p_kind;
    if not found then
        perform monitoring._refuse_choice(
            'kind', p_kind, array(select l.kind from monitoring.name_limits l order by l.kind)
        );
    end if;
end
$$;

comment on function monitoring.set_name_limit(text, integer, text) is
'Sets how many names of a kind are kept apart, 10 to 100000; null for as many as we ship.';

-- How many names of a kind are told apart.
create or replace function monitoring._name_limit(p_kind text) returns integer
language sql
stable
return (
    select coalesce(l.at_most, l.shipped_at_most)
    from monitoring.name_limits as l
    where l.kind = p_kind
);

-- Notes that names which are known have been met.
create or replace function monitoring._see_again(
    p_kind text, p_names text[], p_components text[], p_labels text[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- To the hour, or every run would write all of them.
    update monitoring.known_names k
    set seen_at = p_now
    from unnest(p_names, p_components, p_labels) n (name, component, label)
    where k.kind = p_kind
        and k.name = n.name
        and k.component = n.component
        and k.label = n.label
        and k.seen_at < p_now - interval '1 hour';
end
$$;

-- Gets to know names, in their order, as far as there is room; each name must be given once.
create or replace function monitoring._admit_names(
    p_kind text, p_names text[], p_components text[], p_labels text[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_at_most constant integer := monitoring._name_limit(p_kind);
    v_living bigint;
    v_room bigint;
    v_strange bigint;
    v_admitted bigint;
    v_examples text [];
begin
    perform monitoring._see_again(p_kind, p_names, p_components, p_labels, v_now);
    select count(*) into v_living
    from monitoring.known_names k
    where k.kind = p_kind and k.seen_at > v_now - interval '168 hours';
    v_room := greatest(v_at_most - v_living, 0);
    with strangers as materialized (
        select
            n.name, n.component, n.label,
            row_number() over (order by n.name, n.component, n.label) as place
        from unnest(p_names, p_components, p_labels) n (name, component, label)
        where not exists (
            select from monitoring.known_names k
            where k.kind = p_kind
                and k.name = n.name
                and k.component = n.component
                and k.label = n.label
        )
    ),

    admitted as (
        insert into monitoring.known_names (kind, name, component, label, first_seen_at, seen_at)
        select p_kind, s.name, s.component, s.label, v_now, v_now
        from strangers s
        where s.place <= v_room
        returning name
    )

    select
        count(*),
        (select count(*) from admitted),
        array_agg(left(s.name, 100) order by s.place)
            filter (where s.place between v_room + 1 and v_room + 3)
    into v_strange, v_admitted, v_examples
    from strangers s;
    -- Or the planner would look for each name of a flood one by one.
    if v_admitted > 100 then
        analyze monitoring.known_names;
    end if;
    perform monitoring._note_names(
        p_kind, v_living + v_admitted >= v_at_most, v_strange - v_admitted, v_examples, v_now
    );
end
$$;

-- Notes whether a limit is reached, and how many names were beyond it.
create or replace function monitoring._note_names(
    p_kind text, p_is_reached boolean, p_beyond bigint, p_examples text[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.name_limits l
    set
        is_reached = p_is_reached,
        beyond = case when p_beyond > 0 then p_beyond else l.beyond end,
        examples = case when p_beyond > 0 then p_examples else l.examples end,
        beyond_at = case when p_beyond > 0 then p_now else l.beyond_at end
    where l.kind = p_kind and (p_beyond > 0 or l.is_reached <> p_is_reached);
end
$$;

call monitoring._ship_retention('known_names', '30 days');

call monitoring._ship_name_limit('tasks', 'task types', 2000);
call monitoring._ship_name_limit('errors', 'error types by component', 2000);
call monitoring._ship_name_limit('metrics', 'metrics by component and unit', 5000);
call monitoring._ship_name_limit('queues', 'queues', 2000);
call monitoring._ship_name_limit('health', 'components', 2000);
call monitoring._ship_name_limit('error_groups', 'error groups', 2000);
call monitoring._ship_name_limit('alerts', 'open alerts of one rule', 500);
