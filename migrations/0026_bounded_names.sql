-- depends: 0021_enabled_sources

-- How many names there may be: of task types, errors, metrics, queues and components, and alerts of
-- a rule. What comes beyond is counted as "(other)".

set local lock_timeout = '5s';

create table monitoring.name_limits (
    kind text not null,
    description text not null,
    shipped_at_most integer not null,
    at_most integer,
    changed_by text,
    changed_at timestamptz,
    is_reached boolean not null default false,
    beyond bigint not null default 0,
    examples text[] not null default '{}',
    beyond_at timestamptz,
    constraint name_limits_pk primary key (kind),
    constraint name_limits_are_sensible_ck check (at_most between 10 and 100000)
);

comment on table monitoring.name_limits is
'How many names of each kind are told apart; what comes beyond is counted as "(other)".';
comment on column monitoring.name_limits.kind is
'tasks, errors, metrics, queues, health, error_groups or alerts.';
comment on column monitoring.name_limits.description is
'What is counted.';
comment on column monitoring.name_limits.shipped_at_most is
'How many there may be while nobody has decided.';
comment on column monitoring.name_limits.at_most is
'How many there may be by somebody''s decision; null when nobody has decided.';
comment on column monitoring.name_limits.changed_by is
'Who decided.';
comment on column monitoring.name_limits.changed_at is
'When that was.';
comment on column monitoring.name_limits.is_reached is
'Whether names that are not known are counted as "(other)" from now on.';
comment on column monitoring.name_limits.beyond is
'How many names were beyond the limit when that last happened.';
comment on column monitoring.name_limits.examples is
'Some of them.';
comment on column monitoring.name_limits.beyond_at is
'When there were last names beyond the limit; null when there never were.';

insert into monitoring.name_limits (kind, description, shipped_at_most) values
('tasks', 'task types', 2000),
('errors', 'error types by component', 2000),
('metrics', 'metrics by component and unit', 5000),
('queues', 'queues', 2000),
('health', 'components', 2000),
('error_groups', 'error groups', 2000),
('alerts', 'open alerts of one rule', 500);

create table monitoring.known_names (
    kind text not null,
    name text not null,
    component text not null,
    label text not null,
    first_seen_at timestamptz not null,
    seen_at timestamptz not null,
    constraint known_names_pk primary key (kind, name, component, label)
);

comment on table monitoring.known_names is
'Names that roll-ups tell apart; others are counted as "(other)" once a limit is reached.';
comment on column monitoring.known_names.kind is
'Kind of name, as in name_limits.';
comment on column monitoring.known_names.name is
'The name; of error groups the fingerprint.';
comment on column monitoring.known_names.component is
'Component of errors and metrics, type of a component for health; empty for all others.';
comment on column monitoring.known_names.label is
'Unit of metrics; empty for all others.';
comment on column monitoring.known_names.first_seen_at is
'When a roll-up first met it.';
comment on column monitoring.known_names.seen_at is
'When a roll-up last met it, to the hour; what has not been seen for a week counts for no limit.';

-- What is there already is known, as far as there is room.
insert into monitoring.known_names (kind, name, component, label, first_seen_at, seen_at)
select
    n.source,
    n.name,
    n.component,
    n.label,
    n.seen_at as first_seen_at,
    n.seen_at
from (
    select
        r.source,
        r.name,
        r.component,
        case when r.source = 'metrics' then r.label else '' end as label,
        least(max(r.bucket_at) + interval '24 hours', now()) as seen_at,
        row_number() over (
            partition by r.source order by max(r.bucket_at) desc, r.name asc
        ) as place
    from monitoring.rollups as r
    where r.resolution = 'day'
    group by
        r.source,
        r.name,
        r.component,
        case when r.source = 'metrics' then r.label else '' end
) as n
inner join monitoring.name_limits as l on n.source = l.kind
where n.place <= l.shipped_at_most;

insert into monitoring.known_names (kind, name, component, label, first_seen_at, seen_at)
select
    'error_groups' as kind,
    g.fingerprint,
    '' as component,
    '' as label,
    min(g.first_seen_at) as first_seen_at,
    max(g.last_seen_at) as seen_at
from monitoring.error_group_totals as g
group by g.fingerprint
order by max(g.last_seen_at) desc, g.fingerprint asc
limit 2000;

insert into monitoring.retention_policies (table_name, category, keep)
values ('known_names', '', '30 days');

insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    no_data
)
values (
    'names_over_limit', 'self',
    'Programs send more different names than are told apart, often with an id in them: send the id '
    'as a task_id or in details, or raise the limit.',
    '_find_names_over_limit', '_explain_names_over_limit', 'names', '>=',
    '{"window_minutes": 60}', 'ok'
);

insert into monitoring.alert_thresholds (rule_name, medium) values ('names_over_limit', 1);

insert into monitoring.installed_migrations (migration_id) values ('0026_bounded_names');
