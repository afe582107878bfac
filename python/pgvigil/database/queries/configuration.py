"""What is asked of the configuration and of workflows, and what changes them."""

GET = "select monitoring.get_config(p_is_complete => %(is_complete)s)"
APPLY = "select monitoring.apply_config(p_config => %(config)s)"
GET_WORKFLOW = "select monitoring.get_workflow(p_workflow_name => %(workflow)s)"
GET_WORKFLOW_SCHEMA = "select monitoring.get_workflow_schema()"
APPLY_WORKFLOW = "select monitoring.apply_workflow(p_workflow => %(workflow)s)"
REMOVE_WORKFLOW = "select monitoring.remove_workflow(p_workflow_name => %(workflow)s)"
