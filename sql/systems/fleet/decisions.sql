-- Acknowledging an alert of a member here: the next reading brings it there, with who said so. One
-- that is under way is brought again until the member had it, which it then takes once.
-- Writes fleet_decisions.

create or replace function monitoring.acknowledge_fleet_alert(
    p_member_name text, p_alert_id bigint, p_note text default null, p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_by text := coalesce(monitoring._checked_optional_name('by', p_by), session_user);
    v_alert monitoring.fleet_alerts;
begin
    perform monitoring._found_fleet_member(p_member_name);
    select a.* into v_alert from monitoring.fleet_alerts a
    where a.member_name = p_member_name and a.alert_id = p_alert_id;
    if v_alert.status is distinct from 'firing' then
        return false;
    end if;
    insert into monitoring.fleet_decisions (
        member_name, alert_id, started_at, note, decided_by, decided_at
    )
    values (
        p_member_name, p_alert_id, v_alert.started_at, monitoring._capped_text(p_note, 8000),
        v_by, monitoring.clock()
    )
    on conflict (member_name, alert_id, settled_at) do nothing;
    if not found then
        return false;
    end if;
    update monitoring.fleet_member_states
    set next_pull_at = least(next_pull_at, monitoring.clock())
    where member_name = p_member_name;
    return true;
end
$$;

comment on function monitoring.acknowledge_fleet_alert(text, bigint, text, text) is
'Somebody looks after a firing alert of a member: the next reading tells it there, with who it is. '
'False when none fires by that number, or it is under way already.';

-- What is to be brought to a member.
create or replace function monitoring._fleet_decisions_for(p_member_name text) returns jsonb
language sql
stable
return (
    select
        coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'decision_id', d.decision_id, 'alert_id', d.alert_id,
                    'started_at', d.started_at, 'note', d.note, 'by', d.decided_by
                )
                order by d.decision_id
            ),
            '[]'
        )
    from monitoring.fleet_decisions as d
    where d.member_name = p_member_name and d.settled_at = 'infinity'
);

create or replace function monitoring.note_fleet_decision(
    p_decision_id bigint, p_outcome text
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.fleet_decisions
    set settled_at = monitoring.clock(), outcome = monitoring._capped_text(p_outcome, 1000)
    where decision_id = p_decision_id and settled_at = 'infinity';
    return found;
end
$$;

comment on function monitoring.note_fleet_decision(bigint, text) is
'For runners: notes what became of a decision at the member that it was for. False when that was '
'known already.';

call monitoring._ship_retention('fleet_decisions', '90 days');
