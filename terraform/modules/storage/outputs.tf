output "uri" {
  description = "Address of the store, as `jepa --store` and JEPA_STORE take it."
  value       = "s3://${aws_s3_bucket.store.id}"
}

output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.store.id
}

output "policy_arns" {
  description = "The policy of each kind of job: collect, pretrain, evaluate, maintenance."
  value       = { for kind, policy in aws_iam_policy.job : kind => policy.arn }
}
