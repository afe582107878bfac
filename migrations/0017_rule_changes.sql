-- depends: 0016_task_trends

-- What people changed about alert rules, so that it can be seen who did, when and why.

set local lock_timeout = '200ms';

create table monitoring.alert_rule_changes (
    change_id bigserial not null,
    rule_name text not null,
    old_settings jsonb,
    new_settings jsonb,
    changed_by text not null,
    login_name text not null default session_user,
    changed_at timestamptz not null,
    note text,
    recorded_xid xid8 not null default pg_current_xact_id(),
    constraint alert_rule_changes_pk primary key (change_id)
);

-- Serves the history of one rule.
create index alert_rule_changes_rule_ix on monitoring.alert_rule_changes (rule_name);

comment on table monitoring.alert_rule_changes is
'What people changed about alert rules and their thresholds: one row a rule and transaction.';
comment on column monitoring.alert_rule_changes.change_id is
'Number of the change, in order.';
comment on column monitoring.alert_rule_changes.rule_name is
'Rule that was changed.';
comment on column monitoring.alert_rule_changes.old_settings is
'All settings as they counted before; null for a rule that was created.';
comment on column monitoring.alert_rule_changes.new_settings is
'All settings as they count since; null for a rule that was removed.';
comment on column monitoring.alert_rule_changes.changed_by is
'Who did it.';
comment on column monitoring.alert_rule_changes.login_name is
'Database user whose session did it.';
comment on column monitoring.alert_rule_changes.changed_at is
'When it was done.';
comment on column monitoring.alert_rule_changes.note is
'Why; null when nobody said.';
comment on column monitoring.alert_rule_changes.recorded_xid is
'Transaction that did it.';

insert into monitoring.installed_migrations (migration_id) values ('0017_rule_changes');
