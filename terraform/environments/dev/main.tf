# Development: everything is there, small, and goes down to two small nodes when nothing runs.

module "foundry" {
  source = "../../modules/foundry"

  name                = var.name
  disposable          = true
  zones               = var.zones
  nat_per_zone        = false
  public_access_cidrs = var.public_access_cidrs
  admin_role_arns     = var.admin_role_arns
  emails              = var.emails
  log_days            = 30
  bucket_gib          = 500
  dollars_a_month     = 600
  stop_automatically  = true

  pools = {
    system = { instance_types = ["m6i.large"], minimum = 2, maximum = 6 }
    collect = {
      instance_types = ["c6i.4xlarge", "c6a.4xlarge", "c5a.4xlarge", "m6i.4xlarge"]
      spot           = true
      maximum        = 4
    }
    gpu = { instance_types = ["g6.4xlarge"], gpus = 1, maximum = 2, disk_gib = 200 }
  }
}
