-- Where people are told: what may be set, and what becomes of what was told there.
-- Writes notification_channels, and raised_alerts where a channel goes.
--
-- Lock order: the lock of the alerts, then channels, then notifications. A channel is told of what
-- fires at the next evaluation; setting it plans nothing, so that a configuration of many calls is
-- not told half-way.

-- The channel of that name, or PV007.
create or replace function monitoring._found_channel(p_channel_name text)
returns monitoring.notification_channels
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_channel monitoring.notification_channels;
begin
    select c.* into v_channel
    from monitoring.notification_channels c
    where c.channel_name = p_channel_name;
    if not found then
        perform monitoring._refuse_unknown(
            'channel', p_channel_name,
            'Take the name from v_notification_channels, or define the channel first.'
        );
    end if;
    return v_channel;
end
$$;

-- Raises PV003 for a target that is no name; of an address no more than its scheme is shown.
create or replace function monitoring._refuse_target(p_target text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV003',
        -- What follows the scheme is what must not be seen, here or in the server's log.
        message = case
            when p_target ~ ':'
                then format('target looks like an address: "%s..."',
                    left(substring(p_target from '^[^:]*:'), 40))
            else format('target is not a name: %s', coalesce('"' || left(p_target, 40) || '"', 'null'))
        end,
        hint = 'Secrets do not belong in the database: give the name of an environment variable '
            'of the runner, or of a key in its file, such as OPS_MAIL; the address goes there.';
end
$$;

-- The names of targets, each once; PV001 to PV003 unless there is one at least and all are
-- names.
create or replace function monitoring._checked_targets(p_targets text[]) returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_target text;
begin
    if coalesce(cardinality(p_targets), 0) = 0 then
        perform monitoring._checked_name('target', null);
    end if;
    foreach v_target in array p_targets loop
        if (v_target ~ '^[A-Za-z_][A-Za-z0-9_.-]*$') is not true then
            perform monitoring._refuse_target(v_target);
        end if;
        perform monitoring._checked_name('target', v_target);
    end loop;
    -- One that is named twice is told once.
    return array(
        select t.name from unnest(p_targets) with ordinality t (name, position)
        group by t.name
        order by min(t.position)
    );
end
$$;

-- Raises PV004 unless a channel can have these limits.
create or replace function monitoring._check_channel_limits(
    p_kind text, p_repeat interval, p_max_per_hour integer, p_max_attempts integer
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not coalesce(p_repeat between interval '1 minute' and interval '1 year', true)
        or (p_repeat is null and p_kind = 'alertmanager') then
        perform monitoring._refuse_number('repeat', p_repeat::text, case p_kind
            when 'alertmanager'
                then 'an interval from 1 minute to 1 year; an Alertmanager forgets what is not repeated'
            else 'an interval from 1 minute to 1 year, or null for no reminders'
        end);
    end if;
    if p_max_per_hour < 1 then
        perform monitoring._refuse_number('max_per_hour', p_max_per_hour::text,
            'a number from 1 up, or null for any number of messages');
    end if;
    if (p_max_attempts between 1 and 100) is not true then
        perform monitoring._refuse_number('max_attempts', p_max_attempts::text,
            'a number from 1 to 100');
    end if;
end
$$;

-- Raises PV003, PV006 or PV007 unless a channel can have its daily summary then.
create or replace function monitoring._check_summary_time(
    p_kind text, p_summary_time text, p_time_zone text
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._check_time_zone(p_time_zone);
    if p_summary_time is not null and p_kind = 'alertmanager' then
        perform monitoring._refuse_choice('summary_time', p_summary_time,
            array['null, since an Alertmanager takes alerts and no summary']);
    end if;
    if p_summary_time !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$' then
        raise exception using
            errcode = 'PV006',
            message = format('time of day is impossible: "%s"', left(p_summary_time, 40)),
            hint = 'Give hours and minutes from 00:00 to 23:59, or null for no daily summary.';
    end if;
end
$$;

-- The time zone, or UTC when an update of the system has taken it away; people are told all the
-- same.
create or replace function monitoring._known_time_zone(p_time_zone text) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform '2000-01-01'::timestamp at time zone p_time_zone;
    return p_time_zone;
exception
    when invalid_parameter_value then
        return 'UTC';
end
$$;

-- What the clocks of a time zone show; those of UTC when there is no such zone any more.
create or replace function monitoring._local_time(p_at timestamptz, p_time_zone text)
returns timestamp without time zone
language sql
stable
return p_at at time zone monitoring._known_time_zone(p_time_zone);

create or replace function monitoring.define_notification_channel(
    p_channel_name text,
    p_targets text[],
    p_kind text default 'apprise',
    p_matchers jsonb default '{}',
    p_minimum_severity text default 'low',
    p_has_resolved_notices boolean default true,
    p_repeat interval default '4 hours',
    p_max_per_hour integer default 60,
    p_summary_time text default null,
    p_time_zone text default 'UTC',
    p_max_attempts integer default 12
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_targets text [] := monitoring._checked_targets(p_targets);
    v_is_past boolean;
begin
    perform monitoring._checked_name('channel_name', p_channel_name);
    if (p_kind in ('apprise', 'alertmanager')) is not true then
        perform monitoring._refuse_choice('kind', p_kind, array['apprise', 'alertmanager']);
    end if;
    perform monitoring._checked_matchers('matchers', p_matchers);
    perform monitoring._checked_severity(p_minimum_severity);
    perform monitoring._check_channel_limits(p_kind, p_repeat, p_max_per_hour, p_max_attempts);
    p_summary_time := monitoring._time_of_day(p_summary_time);
    perform monitoring._check_summary_time(p_kind, p_summary_time, p_time_zone);
    v_is_past := monitoring._local_time(v_now, p_time_zone)::time >= p_summary_time::time;

    perform monitoring._lock_alerts();
    insert into monitoring.notification_channels as c (
        channel_name, kind, targets, matchers, minimum_severity, has_resolved_notices,
        repeat_seconds, max_per_hour, max_attempts, summary_time, time_zone, changed_by, changed_at,
        summarized_at
    )
    values (
        p_channel_name, p_kind, v_targets, p_matchers, p_minimum_severity,
        coalesce(p_has_resolved_notices, true), date_part('epoch', p_repeat), p_max_per_hour,
        p_max_attempts, p_summary_time, p_time_zone, session_user, v_now,
        case when v_is_past then v_now end
    )
    on conflict (channel_name) do update
        set
            kind = excluded.kind,
            targets = excluded.targets,
            matchers = excluded.matchers,
            minimum_severity = excluded.minimum_severity,
            has_resolved_notices = excluded.has_resolved_notices,
            repeat_seconds = excluded.repeat_seconds,
            max_per_hour = excluded.max_per_hour,
            max_attempts = excluded.max_attempts,
            summary_time = excluded.summary_time,
            time_zone = excluded.time_zone,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at,
            -- A time of day that has passed is tomorrow's, unless it was this one's before.
            summarized_at = case
                when (c.summary_time, c.time_zone)
                    is not distinct from (excluded.summary_time, excluded.time_zone)
                    then c.summarized_at
                else coalesce(excluded.summarized_at, c.summarized_at)
            end;
end
$$;

comment on function monitoring.define_notification_channel(
    text, text[], text, jsonb, text, boolean, interval, integer, text, text, integer
) is
'Adds a channel, or defines one anew, except for whether it is enabled. What fires already is '
'sent there at the next evaluation.';

-- Whether messages go to a channel.
create or replace function monitoring._switch_notification_channel(
    p_channel_name text, p_is_enabled boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._lock_alerts();
    perform monitoring._found_channel(p_channel_name);
    update monitoring.notification_channels
    set
        is_enabled = coalesce(p_is_enabled, true),
        changed_by = session_user,
        changed_at = monitoring.clock()
    where channel_name = p_channel_name
        and is_enabled <> coalesce(p_is_enabled, true);
end
$$;

create or replace function monitoring.enable_notification_channel(p_channel_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_notification_channel(p_channel_name, true);
end
$$;

comment on function monitoring.enable_notification_channel(text) is
'Has messages go to a channel again: of what fires then, and of what has resolved meanwhile '
'and was reported there before.';

create or replace function monitoring.disable_notification_channel(p_channel_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._switch_notification_channel(p_channel_name, false);
end
$$;

comment on function monitoring.disable_notification_channel(text) is
'Has nothing more go to a channel; what is in the outbox already is still sent.';

create or replace function monitoring.remove_notification_channel(p_channel_name text)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._lock_alerts();
    delete from monitoring.notification_channels where channel_name = p_channel_name;
    if not found then
        return false;
    end if;
    -- Another of that name begins anew.
    update monitoring.raised_alerts
    set told = told - p_channel_name
    where told ? p_channel_name;
    return true;
end
$$;

comment on function monitoring.remove_notification_channel(text) is
'Removes a channel; false when there is none of that name. Messages that wait for it are still '
'sent.';
