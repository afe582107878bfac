"""What is asked of figures that only grow."""

TASKS = "select * from monitoring.v_task_totals"
ERRORS = "select * from monitoring.v_error_totals"
NOTIFICATIONS = "select * from monitoring.v_notification_totals"
