output "topic_arn" {
  description = "Topic that alarms go to."
  value       = aws_sns_topic.alarms.arn
}

output "log_group_arns" {
  description = "Log groups, by what writes to them."
  value       = { for kind, group in aws_cloudwatch_log_group.this : kind => group.arn }
}

output "log_group_names" {
  description = "Names of the log groups, by what writes to them."
  value       = { for kind, group in aws_cloudwatch_log_group.this : kind => group.name }
}
