delete from monitoring.queued_notifications where kind = 'digest';
alter table monitoring.queued_notifications drop constraint queued_notifications_kind_is_known_ck;
alter table monitoring.queued_notifications
add constraint queued_notifications_kind_is_known_ck check (
    kind in ('alerts', 'held_back', 'summary', 'test')
);
drop index monitoring.queued_notifications_dead_ix;
alter table monitoring.queued_notifications drop column folded_into;
alter table monitoring.queued_notifications drop column folded;
alter table monitoring.workflow_steps drop column first_applied_at;
alter type monitoring.source_run drop attribute work;
alter type monitoring.source_run drop attribute attempt;
alter type monitoring.source_run drop attribute max_attempts;
alter table monitoring.run_sources drop column work;
alter table monitoring.run_sources drop column failed_severity;
drop table monitoring.page_addresses;
drop table monitoring.alert_owners;
alter table monitoring.raised_alerts drop column reason;
alter table monitoring.raised_alerts drop column owner;
alter table monitoring.raised_alerts drop column explained_at;
delete from monitoring.installed_migrations where migration_id = '0027_reasons';
