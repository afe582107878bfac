-- Whom alerts are told in the configuration: sections channels, silences, alert_owners and
-- page_url. Writes nothing but through the functions that people call.

-- Settings of a channel as they are in a configuration.
create or replace function monitoring._channel_config(p_channel monitoring.notification_channels)
returns jsonb
language sql
stable
return jsonb_build_object(
    'targets', (p_channel).targets,
    'kind', (p_channel).kind,
    'matchers', (p_channel).matchers,
    'minimum_severity', (p_channel).minimum_severity,
    'has_resolved_notices', (p_channel).has_resolved_notices,
    'repeat_seconds', (p_channel).repeat_seconds,
    'max_per_hour', (p_channel).max_per_hour,
    'max_attempts', (p_channel).max_attempts,
    'summary_time', (p_channel).summary_time,
    'time_zone', (p_channel).time_zone,
    'is_enabled', (p_channel).is_enabled
);

-- Section channels of a configuration.
create or replace function monitoring._channels_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(c.channel_name, monitoring._channel_config(c)), '{}')
        from monitoring.notification_channels c
    );
end
$$;

-- Makes, changes or removes a channel.
create or replace function monitoring._configure_channels(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new jsonb := '{
        "kind": "apprise", "matchers": {}, "minimum_severity": "low", "has_resolved_notices": true,
        "repeat_seconds": 14400, "max_per_hour": 60, "max_attempts": 12, "time_zone": "UTC",
        "is_enabled": true
    }'::jsonb || coalesce(p_old, '{}') || p_new;
begin
    if p_new is null then
        perform monitoring.remove_notification_channel(p_name);
        return;
    end if;
    perform monitoring.define_notification_channel(
        p_name,
        array(select jsonb_array_elements_text(v_new -> 'targets')),
        v_new ->> 'kind',
        v_new -> 'matchers',
        v_new ->> 'minimum_severity',
        (v_new ->> 'has_resolved_notices')::boolean,
        make_interval(secs => (v_new ->> 'repeat_seconds')::double precision),
        (v_new ->> 'max_per_hour')::numeric::integer,
        v_new ->> 'summary_time',
        v_new ->> 'time_zone',
        (v_new ->> 'max_attempts')::numeric::integer
    );
    perform monitoring._switch_notification_channel(p_name, (v_new ->> 'is_enabled')::boolean);
end
$$;

-- A time as text, the same in every session.
create or replace function monitoring._time_in_utc(p_at timestamptz) returns text
language sql
stable
return regexp_replace(
    to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '[.]?0*$', ''
) || 'Z';

-- A silence as it is in a configuration.
create or replace function monitoring._silence_config(p_silence monitoring.alert_silences)
returns jsonb
language sql
stable
return jsonb_build_object(
    'matchers', (p_silence).matchers,
    'starts_at', monitoring._time_in_utc((p_silence).starts_at),
    'ends_at', monitoring._time_in_utc(nullif((p_silence).ends_at, 'infinity')),
    'is_until_resolved', (p_silence).is_until_resolved,
    'note', (p_silence).note,
    'created_by', (p_silence).created_by
);

-- Section silences of a configuration: those that hold or will.
create or replace function monitoring._silences_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_agg(monitoring._silence_config(s) order by s.silence_id), '[]')
        from monitoring.alert_silences s
        where s.ends_at > monitoring.clock() and s.ended_by is null
    );
end
$$;

-- Makes a silence unless it is there, was there or has ended; ends none.
create or replace function monitoring._configure_silences(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_start timestamptz := (p_new ->> 'starts_at')::timestamptz;
    v_end timestamptz := (p_new ->> 'ends_at')::timestamptz;
    v_is_until_resolved boolean := coalesce((p_new ->> 'is_until_resolved')::boolean, false);
begin
    if p_new is null then
        return;
    end if;
    if v_end is null and not v_is_until_resolved then
        raise exception using
            errcode = 'PV005',
            message = 'the silence would never end',
            hint = 'Give ends_at, or is_until_resolved: true.';
    end if;
    -- One that has ended, by its time or by somebody, is not begun again.
    if v_end <= monitoring.clock() or exists (
        select from monitoring.alert_silences s
        where s.matchers = p_new -> 'matchers'
            and s.starts_at = v_start
            and (s.ended_by is not null or s.ends_at = coalesce(v_end, 'infinity'))
            and s.is_until_resolved = v_is_until_resolved
            and s.note is not distinct from p_new ->> 'note'
    ) then
        return;
    end if;
    perform monitoring.silence_alerts(
        p_new -> 'matchers', v_end - v_start, p_new ->> 'note', p_new ->> 'created_by',
        v_start, v_is_until_resolved
    );
end
$$;

-- Section alert_owners of a configuration.
create or replace function monitoring._alert_owners_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object('labels', o.labels, 'owner', o.owner) order by o.labels
            ),
            '[]'
        )
        from monitoring.alert_owners o
    );
end
$$;

-- Says whose alerts with certain labels are, or no longer.
create or replace function monitoring._configure_alert_owners(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_alert_owner(
        p_new ->> 'owner', coalesce(p_new, p_old) -> 'labels'
    );
end
$$;

-- Section page_url of a configuration.
create or replace function monitoring._page_url_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select to_jsonb(a.url) from monitoring.page_addresses a where a.page_name = 'page'
    );
end
$$;

-- Says where people find the page.
create or replace function monitoring._configure_page_url(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_page_url(p_new #>> '{}');
end
$$;
