output "store_uri" {
  description = "Address of the store: JEPA_STORE."
  value       = module.foundry.store_uri
}

output "region" {
  description = "Region of all of it: AWS_REGION."
  value       = module.foundry.region
}

output "cluster_name" {
  description = "Name of the EKS cluster, for `aws eks update-kubeconfig --name`."
  value       = module.foundry.cluster_name
}

output "namespace" {
  description = "Namespace of the jobs."
  value       = module.foundry.namespace
}

output "image_repository" {
  description = "Where the images are pushed."
  value       = module.foundry.image_repository
}

output "service_accounts" {
  description = "Service account, namespace and role of each kind of job."
  value       = module.foundry.service_accounts
}
