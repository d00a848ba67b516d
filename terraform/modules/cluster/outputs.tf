output "name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "arn" {
  description = "ARN of the cluster."
  value       = aws_eks_cluster.this.arn
}

output "autoscaler_policy_arn" {
  description = "Policy for the role of the cluster autoscaler."
  value       = aws_iam_policy.autoscaler.arn
}
