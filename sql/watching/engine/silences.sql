-- What keeps alerts from being told: silences and inhibitions. Writes alert_silences and
-- alert_inhibitions; what changes takes effect on notices at once, on alerts never.

-- Taken by whatever changes an alert, before it looks at any, and held until the transaction
-- ends; rules look for findings before it is taken.
create or replace function monitoring._lock_alerts() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._guard('alerts');
end
$$;

-- Open alerts with all that silences, inhibitions and channels may go by.
create or replace view monitoring._open_alerts as
select
    a.alert_id,
    a.rule_name,
    a.status,
    monitoring._all_labels(a, r.family) as labels
from monitoring.raised_alerts as a
left join monitoring.alert_rules as r on a.rule_name = r.rule_name
where a.resolved_at = 'infinity';

comment on view monitoring._open_alerts is
'Pending and firing alerts with all their labels.';

create or replace view monitoring.v_inhibitions as
select
    i.source_rule,
    i.target_rule,
    i.equal_labels,
    i.is_enabled,
    i.changed_by,
    i.changed_at
from monitoring.alert_inhibitions as i;

comment on view monitoring.v_inhibitions is
'Which rule''s firing alert makes notices of another''s superfluous.';
comment on column monitoring.v_inhibitions.source_rule is
'Rule whose firing alert inhibits.';
comment on column monitoring.v_inhibitions.target_rule is
'Rule whose alerts send no notifications meanwhile.';
comment on column monitoring.v_inhibitions.equal_labels is
'Labels that both alerts must have in common; missing in both counts as equal.';
comment on column monitoring.v_inhibitions.is_enabled is
'Whether it holds; false for one of ours that people have lifted.';
comment on column monitoring.v_inhibitions.changed_by is
'Who added, changed or lifted it; null as shipped.';
comment on column monitoring.v_inhibitions.changed_at is
'When that was; null as shipped.';

create or replace view monitoring.v_silences as
select
    s.silence_id,
    s.matchers,
    s.starts_at,
    nullif(s.ends_at, 'infinity') as ends_at,
    s.starts_at <= n.now and s.ends_at > n.now as is_active,
    s.is_until_resolved,
    s.note,
    s.created_by,
    s.created_at,
    s.ended_by,
    s.login_name,
    s.ended_login_name,
    case
        when s.ends_at <= n.now then 'ended'
        when s.starts_at > n.now then 'coming'
        else 'active'
    end as state
from monitoring.alert_silences as s
cross join (select monitoring.clock() as now) as n;

comment on view monitoring.v_silences is
'Silences: those to come, those that hold, and for a while those that have ended.';
comment on column monitoring.v_silences.silence_id is
'Number of the silence.';
comment on column monitoring.v_silences.matchers is
'Labels of the alerts that it silences; rule, family, severity and fingerprint are among them.';
comment on column monitoring.v_silences.starts_at is
'When it begins.';
comment on column monitoring.v_silences.ends_at is
'When it ends; null when it has no end of its own.';
comment on column monitoring.v_silences.is_active is
'Whether it holds now.';
comment on column monitoring.v_silences.is_until_resolved is
'Whether it ends as soon as no open alert matches it.';
comment on column monitoring.v_silences.note is
'Why.';
comment on column monitoring.v_silences.created_by is
'Who made it.';
comment on column monitoring.v_silences.created_at is
'When it was made.';
comment on column monitoring.v_silences.ended_by is
'Who ended it before its time, pgvigil when all it silenced had resolved; null when nobody did.';

comment on column monitoring.v_silences.login_name is
'Database user whose session made it, whatever name was given.';
comment on column monitoring.v_silences.ended_login_name is
'Database user whose session ended it before its time.';
comment on column monitoring.v_silences.state is
'active, coming or ended.';

-- Open alerts that are not to be told, with the reason: silence 12, or inhibited by a rule.
--
-- Reads views only, so that readers may use it.
create or replace function monitoring._suppressions_at(p_now timestamptz)
returns table (alert_id bigint, reason text)
language sql
stable
begin atomic
    select distinct on (p.alert_id)
        p.alert_id,
        p.reason
    from (
        select
            a.alert_id,
            1 as preference,
            'silence ' || s.silence_id as reason
        from monitoring.v_silences as s
        inner join monitoring._open_alerts as a on monitoring._matches(a.labels, s.matchers)
        where s.starts_at <= p_now and coalesce(s.ends_at, 'infinity') > p_now
        union all
        select
            t.alert_id,
            2 as preference,
            'inhibited by ' || i.source_rule as reason
        from monitoring.v_inhibitions as i
        inner join monitoring._open_alerts as t on i.target_rule = t.rule_name
        inner join monitoring._open_alerts as s
            on i.source_rule = s.rule_name and s.status = 'firing'
        where i.is_enabled
            and not exists (
                select from unnest(i.equal_labels) as e (label)
                where coalesce(t.labels ->> e.label, '') <> coalesce(s.labels ->> e.label, '')
            )
    ) as p
    order by p.alert_id asc, p.preference asc, p.reason asc;
end;

create or replace function monitoring.silence_alerts(
    p_matchers jsonb,
    p_for interval default null,
    p_note text default null,
    p_by text default null,
    p_starts_at timestamptz default null,
    p_until_resolved boolean default false
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_start timestamptz := coalesce(monitoring._checked_moment('starts_at', p_starts_at), v_now);
    v_end timestamptz := timestamptz 'infinity';
    v_silence bigint;
begin
    if (p_for is null or p_for between interval '-10 years' and interval '10 years') is not true then
        perform monitoring._refuse_number('for', p_for::text,
            'an interval of at most 10 years that ends in the future');
    end if;
    perform monitoring._checked_matchers('matchers', p_matchers);
    if p_matchers = '{}' then
        perform monitoring._refuse_json('matchers', '{}',
            'at least one label; {"rule": {"regex": ".*"}} silences everything');
    end if;
    if p_for is not null or not coalesce(p_until_resolved, false) then
        v_end := v_start + coalesce(p_for, interval '1 hour');
    end if;
    if v_end <= greatest(v_start, v_now) or v_start > v_now + interval '10 years'
        or (v_end < 'infinity' and v_end > v_start + interval '10 years') then
        perform monitoring._refuse_number('for', coalesce(p_for, interval '1 hour')::text,
            'an interval of at most 10 years that ends in the future');
    end if;
    insert into monitoring.alert_silences (
        matchers, starts_at, ends_at, is_until_resolved, note, created_by, created_at
    )
    values (
        p_matchers, v_start, v_end, coalesce(p_until_resolved, false),
        monitoring._capped_text(p_note, 8000),
        coalesce(monitoring._checked_optional_name('by', p_by), session_user), v_now
    )
    returning silence_id into v_silence;
    return v_silence;
end
$$;

comment on function monitoring.silence_alerts(jsonb, interval, text, text, timestamptz, boolean) is
'Keeps alerts with certain labels from sending notifications, for an hour by default; '
'until none of them is open where that is wanted; a day is one of the session''s time zone, 23 or '
'25 hours long when clocks change. Returns the number of the silence.';

create or replace function monitoring.unsilence_alerts(
    p_silence_id bigint, p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz;
begin
    if not exists (select from monitoring.alert_silences s where s.silence_id = p_silence_id) then
        perform monitoring._refuse_unknown(
            'silence', p_silence_id::text,
            'Take the number from v_silences.'
        );
    end if;
    perform monitoring._lock_alerts();
    v_now := monitoring.clock();
    update monitoring.alert_silences
    set
        -- One that had not begun never was.
        ends_at = greatest(v_now, starts_at),
        ended_by = coalesce(monitoring._checked_optional_name('by', p_by), session_user),
        ended_login_name = session_user
    where silence_id = p_silence_id and ends_at > greatest(v_now, starts_at);
    if found then
        perform monitoring._plan_notifications(v_now);
        return true;
    end if;
    return false;
end
$$;

comment on function monitoring.unsilence_alerts(bigint, text) is
'Ends a silence before its time; what still fires is then notified. False when it had ended '
'already.';

-- Ends those silences that were to hold until what they silence has resolved.
create or replace function monitoring._end_needless_silences(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.alert_silences s
    set ends_at = p_now, ended_by = 'pgvigil'
    where s.is_until_resolved
        and s.starts_at <= p_now
        and s.ends_at > p_now
        and not exists (
            select from monitoring._open_alerts a where monitoring._matches(a.labels, s.matchers)
        );
end
$$;

create or replace function monitoring.define_inhibition(
    p_source_rule text, p_target_rule text, p_equal_labels text[] default '{}'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._found_rule(p_source_rule);
    perform monitoring._found_rule(p_target_rule);
    if p_source_rule = p_target_rule then
        perform monitoring._refuse_choice('target_rule', p_target_rule,
            array['a rule other than ' || p_source_rule]);
    end if;
    perform monitoring._checked_name('label', l.label)
    from unnest(coalesce(p_equal_labels, '{}')) l (label);
    insert into monitoring.alert_inhibitions (
        source_rule, target_rule, decided_labels, changed_by, changed_at
    )
    values (
        p_source_rule, p_target_rule, coalesce(p_equal_labels, '{}'), session_user,
        monitoring.clock()
    )
    on conflict (source_rule, target_rule) do update
        set
            decided_labels = excluded.decided_labels,
            is_enabled = true,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
end
$$;

comment on function monitoring.define_inhibition(text, text, text[]) is
'While an alert of the source rule fires, alerts of the target rule with the same values of the '
'labels send no notifications.';

create or replace function monitoring.remove_inhibition(p_source_rule text, p_target_rule text)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_gone boolean;
begin
    delete from monitoring.alert_inhibitions
    where source_rule = p_source_rule and target_rule = p_target_rule and shipped_labels is null;
    v_is_gone := found;
    update monitoring.alert_inhibitions
    set
        decided_labels = null,
        is_enabled = false,
        changed_by = session_user,
        changed_at = monitoring.clock()
    where source_rule = p_source_rule and target_rule = p_target_rule and is_enabled;
    return v_is_gone or found;
end
$$;

comment on function monitoring.remove_inhibition(text, text) is
'Ends an inhibition, one of ours as well; false when there was none.';

create or replace function monitoring.reset_inhibition(p_source_rule text, p_target_rule text)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_gone boolean;
begin
    delete from monitoring.alert_inhibitions
    where source_rule = p_source_rule and target_rule = p_target_rule and shipped_labels is null;
    v_is_gone := found;
    update monitoring.alert_inhibitions
    set decided_labels = null, is_enabled = true, changed_by = null, changed_at = null
    where source_rule = p_source_rule and target_rule = p_target_rule and changed_at is not null;
    return v_is_gone or found;
end
$$;

comment on function monitoring.reset_inhibition(text, text) is
'Takes back what people decided about an inhibition: it is as shipped then, or gone; false when '
'nothing had been decided.';

call monitoring._ship_retention('alert_silences', '90 days');
