output "store_uri" {
  description = "Address of the store: JEPA_STORE."
  value       = module.storage.uri
}

output "region" {
  description = "Region of all of it: AWS_REGION."
  value       = data.aws_region.current.name
}

output "cluster_name" {
  description = "Name of the EKS cluster, for `aws eks update-kubeconfig --name`."
  value       = module.cluster.name
}

output "namespace" {
  description = "Namespace of the jobs."
  value       = local.namespace
}

output "image_repository" {
  description = "Where the images are pushed."
  value       = module.registry.repository_url
}

output "service_accounts" {
  description = "Service account, namespace and role of each kind of job."
  value       = module.identity.service_accounts
}
