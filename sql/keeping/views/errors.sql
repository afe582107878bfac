-- Reading errors and their groups.

create or replace view monitoring.error_tracking as
select
    e.error_id,
    e.task_id,
    e.error_type,
    e.severity,
    e.message,
    e.component,
    e.fingerprint,
    e.details,
    e.occurred_at,
    e.stack,
    coalesce(m.merged_into, e.fingerprint) as error_group
from monitoring._all_errors as e
left join monitoring.error_group_merges as m on e.fingerprint = m.fingerprint;

create or replace view monitoring._error_group_parts as
select
    coalesce(m.merged_into, p.fingerprint) as fingerprint,
    p.error_type,
    p.severity,
    p.component,
    p.example,
    p.occurrences,
    p.first_seen_at,
    p.last_seen_at,
    p.last_error_id,
    p.fingerprint as member
from (
    select
        t.fingerprint,
        t.error_type,
        t.severity,
        t.component,
        t.example,
        t.occurrences,
        t.first_seen_at,
        t.last_seen_at,
        t.last_error_id
    from monitoring.error_group_totals as t
    union all
    select
        n.fingerprint,
        n.error_type,
        n.severity,
        n.component,
        n.example,
        n.occurrences,
        n.first_seen_at,
        n.last_seen_at,
        n.last_error_id
    from monitoring._add_up_error_groups() as n
) as p
left join monitoring.error_group_merges as m on p.fingerprint = m.fingerprint;

create or replace view monitoring.error_groups as
with groups as (
    select
        p.fingerprint,
        sum(p.occurrences)::bigint as occurrences,
        min(p.first_seen_at) as first_seen_at,
        max(p.last_seen_at) as last_seen_at,
        array_agg(distinct p.component) filter (where p.component <> '') as components,
        array_agg(distinct p.member) filter (where p.member <> p.fingerprint) as merged_from,
        -- The newest occurrence speaks for the group.
        (array_agg(p.error_type order by p.last_seen_at desc, p.last_error_id desc))[1]
            as error_type,
        (array_agg(p.severity order by p.last_seen_at desc, p.last_error_id desc))[1] as severity,
        (array_agg(p.example order by p.last_seen_at desc, p.last_error_id desc))[1] as example
    from monitoring._error_group_parts as p
    group by p.fingerprint
)

select
    g.fingerprint,
    g.error_type,
    g.severity,
    g.example,
    monitoring.message_template(g.example) as template,
    case
        when s.status = 'muted' and s.muted_until <= (select monitoring.clock()) then 'open'
        when s.status = 'resolved' and g.last_seen_at > s.changed_at then 'regressed'
        else coalesce(s.status, 'open')
    end as status,
    g.occurrences,
    g.components,
    g.first_seen_at,
    g.last_seen_at,
    s.muted_until,
    s.note,
    s.changed_by,
    s.changed_at,
    s.login_name,
    g.merged_from
from groups as g
left join monitoring.error_group_states as s on g.fingerprint = s.fingerprint;

create or replace view monitoring.v_error_summary as
select
    e.error_type,
    e.severity,
    nullif(e.component, '') as component,
    e.occurrences,
    g.groups,
    g.last_seen_at,
    g.last_message
from (
    select
        d.name as error_type,
        d.label as severity,
        d.component,
        sum(d.row_count)::bigint as occurrences
    from monitoring._last_day('errors') as d
    group by d.name, d.label, d.component
) as e
left join (
    select
        p.error_type,
        p.severity,
        p.component,
        count(distinct p.fingerprint) as groups,
        max(p.last_seen_at) as last_seen_at,
        (array_agg(p.example order by p.last_seen_at desc, p.last_error_id desc))[1] as last_message
    from monitoring._error_group_parts as p
    where p.last_seen_at >= (select monitoring._last_day_since())
    group by p.error_type, p.severity, p.component
) as g
    on
        e.error_type = g.error_type
        and e.severity = g.severity
        and e.component = g.component;

comment on view monitoring._error_group_parts is
'Error groups by fingerprint, type, severity and component: what is rolled up, and what is not '
'yet.';

comment on view monitoring.error_tracking is
'Every occurrence of every error. A view, so it has no index of its own '
'and needs none: by hour or component v_error_trends answers from roll-ups.';
comment on column monitoring.error_tracking.error_id is
'Number of the occurrence; negative when a backfill chose it.';
comment on column monitoring.error_tracking.task_id is
'Task that it happened in; empty, not null, outside any task, so that an index finds it.';
comment on column monitoring.error_tracking.error_type is
'Kind of error, usually the class of the exception.';
comment on column monitoring.error_tracking.severity is
'low, medium, high or critical.';
comment on column monitoring.error_tracking.message is
'What the program said; cut after 8,000 characters, with a note of the full length.';
comment on column monitoring.error_tracking.component is
'Program, service or stage that spoke.';
comment on column monitoring.error_tracking.fingerprint is
'What errors have in common that differ only in variable parts of their messages.';
comment on column monitoring.error_tracking.error_group is
'Name of the error group: the fingerprint, or the one that this is merged into.';
comment on column monitoring.error_tracking.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.error_tracking.occurred_at is
'When it happened.';
comment on column monitoring.error_tracking.stack is
'Stack trace; cut after 65,536 characters, with a note of the full length.';

comment on view monitoring.error_groups is
'Errors that differ only in the variable parts of their messages, one row a group.';
comment on column monitoring.error_groups.fingerprint is
'Name of the group.';
comment on column monitoring.error_groups.error_type is
'Kind of error, of the newest occurrence.';
comment on column monitoring.error_groups.severity is
'Severity of the newest occurrence.';
comment on column monitoring.error_groups.example is
'Message of the newest occurrence.';
comment on column monitoring.error_groups.template is
'That message with its variable parts shown as <*>.';
comment on column monitoring.error_groups.status is
'open, resolved, muted, or regressed (resolved, and seen again since).';
comment on column monitoring.error_groups.occurrences is
'How often it was recorded.';
comment on column monitoring.error_groups.components is
'Components that it happened in, in order of name.';
comment on column monitoring.error_groups.first_seen_at is
'When it first happened.';
comment on column monitoring.error_groups.last_seen_at is
'When it last happened.';
comment on column monitoring.error_groups.muted_until is
'When a mute ends; null for a mute without an end.';
comment on column monitoring.error_groups.note is
'Why it was resolved or muted.';
comment on column monitoring.error_groups.changed_by is
'Who resolved or muted it.';
comment on column monitoring.error_groups.changed_at is
'When it was resolved or muted.';
comment on column monitoring.error_groups.login_name is
'Database user whose session did it, whatever name was given.';
comment on column monitoring.error_groups.merged_from is
'Other fingerprints that were merged into the group and have occurred; null for none.';

comment on view monitoring.v_error_summary is
'Errors of this hour and the 23 before it, by type, severity and component.';
comment on column monitoring.v_error_summary.error_type is
'Kind of error.';
comment on column monitoring.v_error_summary.severity is
'low, medium, high or critical.';
comment on column monitoring.v_error_summary.component is
'Program, service or stage that spoke.';
comment on column monitoring.v_error_summary.occurrences is
'How often it was recorded.';
comment on column monitoring.v_error_summary.groups is
'How many error groups are among them.';
comment on column monitoring.v_error_summary.last_seen_at is
'When the last of them happened.';
comment on column monitoring.v_error_summary.last_message is
'Message of the last of them.';
