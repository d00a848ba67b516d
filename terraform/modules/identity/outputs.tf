output "service_accounts" {
  description = "For each kind of job: its service account, the namespace and the role that its pods take."
  value = { for kind, role in var.roles : kind => {
    namespace = role.namespace
    name      = role.service_account
    role_arn  = aws_iam_role.job[kind].arn
  } }
}

output "role_names" {
  description = "Name of each kind's role."
  value       = { for kind, role in aws_iam_role.job : kind => role.name }
}
