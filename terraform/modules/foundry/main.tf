# One whole environment: the modules beside this one, put together.

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  namespace = "jepa"
  bucket    = coalesce(var.bucket, "${var.name}-${data.aws_caller_identity.current.account_id}")
  policies  = module.storage.policy_arns

  # Who takes which role. `flows` are the pods of Prefect's flow runs: the whole job runs there, so they may do all
  # that the three jobs may.
  roles = merge(
    { for kind in ["collect", "pretrain", "evaluate", "maintenance"] : kind => {
      namespace = local.namespace, service_account = "jepa-${kind}", policy_arns = { store = local.policies[kind] }
    } },
    {
      flows = {
        namespace       = local.namespace
        service_account = "jepa-flows"
        policy_arns     = { for kind in ["collect", "pretrain", "evaluate"] : kind => local.policies[kind] }
      }
      autoscaler = {
        namespace       = "kube-system"
        service_account = "cluster-autoscaler"
        policy_arns     = { scale = module.cluster.autoscaler_policy_arn }
      }
    },
  )
}

module "storage" {
  source = "../storage"

  bucket        = local.bucket
  force_destroy = var.disposable
}

module "network" {
  source = "../network"

  name          = var.name
  zones         = var.zones
  nat_per_zone  = var.nat_per_zone
  log_group_arn = module.observability.log_group_arns["network"]
}

module "observability" {
  source = "../observability"

  name           = var.name
  retention_days = var.log_days
  emails         = var.emails
  bucket         = module.storage.bucket
  bucket_gib     = var.bucket_gib
  nat_gateways   = module.network.nat_gateway_ids
}

module "registry" {
  source = "../registry"

  name = var.name
}

module "cluster" {
  source = "../cluster"

  name                = var.name
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  public_access_cidrs = var.public_access_cidrs
  admin_role_arns     = var.admin_role_arns
  log_group           = module.observability.log_group_names["control_plane"]
  pools               = var.pools
}

module "identity" {
  source = "../identity"

  name         = var.name
  cluster_name = module.cluster.name
  cluster_arn  = module.cluster.arn
  roles        = local.roles
}

module "budget" {
  source = "../budget"

  name               = var.name
  dollars_a_month    = var.dollars_a_month
  topic_arn          = module.observability.topic_arn
  emails             = var.emails
  stopped_roles      = [module.identity.role_names["autoscaler"]]
  stop_automatically = var.stop_automatically
}
