-- The code of pgvigil, in reading order: everything here is made anew at every deploy.
-- Calls go downwards only: a room calls those above it in this list.
-- Tables come from migrations/ and must be there first. Run with: psql -v ON_ERROR_STOP=1 -1 -f

-- core: how input is refused, checked and repaired, the one clock and calendars, partitions by day
\ir core/drop_former.sql
\ir core/refusals.sql
\ir core/words.sql
\ir core/caps.sql
\ir core/checks.sql
\ir core/synonyms.sql
\ir core/repairs.sql
\ir core/json_repairs.sql
\ir core/clock.sql
\ir core/times.sql
\ir core/cron_expression.sql
\ir core/cron.sql
\ir core/schedules.sql
\ir core/guards.sql
\ir core/sessions.sql
\ir core/names.sql
\ir core/partitions.sql
\ir core/late_rows.sql
\ir core/bulk.sql
\ir core/documents.sql

-- recording: what programs call; one row in and nothing read back
\ir recording/outcomes.sql
\ir recording/start_task.sql
\ir recording/task_progress.sql
\ir recording/complete_task.sql
\ir recording/task_ends.sql
\ir recording/finished_tasks.sql
\ir recording/error_fingerprint.sql
\ir recording/errors.sql
\ir recording/metrics.sql
\ir recording/logs.sql
\ir recording/health.sql
\ir recording/queues.sql

-- keeping: roll-ups, how long what is kept, and views over both
\ir keeping/retention/policies.sql

\ir keeping/rollups/histogram.sql
\ir keeping/rollups/marked.sql
\ir keeping/rollups/samples.sql
\ir keeping/rollups/names.sql
\ir keeping/rollups/uptime.sql
\ir keeping/rollups/groups_and_states.sql
\ir keeping/rollups/open_days.sql
\ir keeping/rollups/recounts.sql
\ir keeping/rollups/roll_up.sql
\ir keeping/rollups/rebuild.sql
\ir keeping/rollups/restored.sql
\ir keeping/rollups/spans.sql
\ir keeping/rollups/trends.sql
\ir keeping/rollups/queue_trends.sql
\ir keeping/rollups/statistics.sql

\ir keeping/retention/slices.sql
\ir keeping/retention/late_rows.sql
\ir keeping/retention/days.sql
\ir keeping/retention/cleanup.sql
\ir keeping/retention/views.sql

\ir keeping/views/tasks.sql
\ir keeping/views/ended_tasks.sql
\ir keeping/views/errors.sql
\ir keeping/views/reasons.sql
\ir keeping/views/error_groups.sql
\ir keeping/views/metrics.sql
\ir keeping/views/logs.sql
\ir keeping/views/health.sql
\ir keeping/views/queues.sql
\ir keeping/views/summaries.sql

-- scheduling: what runs when, and whether it does
\ir scheduling/routines.sql
\ir scheduling/plan.sql
\ir scheduling/moved_times.sql
\ir scheduling/clock.sql
\ir scheduling/claim.sql
\ir scheduling/run.sql
\ir scheduling/supervise.sql
\ir scheduling/run_due_jobs.sql
\ir scheduling/schedule.sql
\ir scheduling/pg_cron.sql
\ir scheduling/pg_cron_runs.sql
\ir scheduling/views.sql
\ir scheduling/freshness.sql
\ir scheduling/self_check.sql

-- watching: the rules, the engine that turns findings into alerts, and telling people
\ir watching/rules/windows.sql
\ir watching/rules/matching.sql
\ir watching/rules/rules.sql
\ir watching/rules/owners.sql
\ir watching/rules/error_rules.sql
\ir watching/rules/error_group_rules.sql
\ir watching/rules/health_rules.sql
\ir watching/rules/queue_rules.sql
\ir watching/rules/task_rules.sql
\ir watching/rules/running_task_rules.sql
\ir watching/rules/business_day.sql
\ir watching/rules/work.sql
\ir watching/rules/task_outcome_rules.sql
\ir watching/rules/failure_streak_rules.sql
\ir watching/rules/task_explanations.sql
\ir watching/rules/missed_runs.sql
\ir watching/rules/expected_runs.sql
\ir watching/rules/self_rules.sql
\ir watching/rules/time_limits.sql
\ir watching/rules/rule_queries.sql
\ir watching/rules/own_rules.sql

\ir watching/engine/silences.sql

\ir watching/notifications/channels.sql
\ir watching/notifications/messages.sql
\ir watching/notifications/alertmanager.sql
\ir watching/notifications/plan.sql
\ir watching/notifications/summary.sql
\ir watching/notifications/digest.sql
\ir watching/notifications/outbox.sql

\ir watching/engine/transitions.sql
\ir watching/engine/find.sql
\ir watching/engine/apply.sql
\ir watching/engine/reasons.sql
\ir watching/engine/clock.sql
\ir watching/engine/evaluate.sql
\ir watching/engine/decide.sql
\ir watching/engine/explain.sql
\ir watching/engine/backtest.sql
\ir watching/engine/views.sql

\ir watching/notifications/views.sql

-- systems: ETL, batch, records and sources, each built on the rooms above
\ir systems/etl/record.sql
\ir systems/etl/events.sql
\ir systems/etl/views.sql
\ir systems/etl/summary.sql
\ir systems/etl/item_rules.sql

\ir systems/batch/schema.sql
\ir systems/batch/check.sql
\ir systems/batch/apply.sql
\ir systems/batch/runs.sql
\ir systems/batch/history.sql
\ir systems/batch/estimates.sql
\ir systems/batch/timeline.sql
\ir systems/batch/warnings.sql
\ir systems/batch/rules.sql
\ir systems/batch/health.sql
\ir systems/batch/views.sql
\ir systems/batch/logs.sql
\ir systems/batch/overviews.sql

\ir systems/records/keys.sql
\ir systems/records/rows.sql
\ir systems/records/datasets.sql
\ir systems/records/status_statement.sql
\ir systems/records/statuses.sql
\ir systems/records/trigger_queries.sql
\ir systems/records/trigger_recording.sql
\ir systems/records/trigger_functions.sql
\ir systems/records/triggers.sql
\ir systems/records/found.sql
\ir systems/records/invalid.sql
\ir systems/records/resolve.sql
\ir systems/records/products.sql
\ir systems/records/programs.sql
\ir systems/records/load_invalid.sql
\ir systems/records/load_statuses.sql
\ir systems/records/invalid_rules.sql
\ir systems/records/status_rules.sql
\ir systems/records/views.sql
\ir systems/records/status_views.sql
\ir systems/records/bot_views.sql
\ir systems/records/timeline.sql
\ir systems/records/daily_summary.sql

\ir systems/sources/queries.sql
\ir systems/sources/staging.sql
\ir systems/sources/foreign_code.sql
\ir systems/sources/columns.sql
\ir systems/sources/read.sql
\ir systems/sources/compare.sql
\ir systems/sources/apply.sql
\ir systems/sources/troubles.sql
\ir systems/sources/register.sql
\ir systems/sources/sync.sql
\ir systems/sources/record_columns.sql
\ir systems/sources/register_records.sql
\ir systems/sources/sync_records.sql
\ir systems/sources/record_rules.sql
\ir systems/sources/views.sql
\ir systems/sources/record_views.sql

-- reading: dashboards, and the configuration as one document
\ir reading/dashboards/summary.sql
\ir reading/dashboards/cards.sql
\ir reading/dashboards/trend_points.sql
\ir reading/dashboards/daily_report.sql

\ir reading/config/schema.sql
\ir reading/config/get.sql
\ir reading/config/configure.sql
\ir reading/config/apply.sql

\ir reading/installation.sql

-- what is installed, who may do what, and room for the first week
\ir grants.sql
\ir prepare.sql
