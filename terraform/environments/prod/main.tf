# Production: a NAT gateway for each zone, many cores for collection, and nodes of eight GPUs that train together.

module "foundry" {
  source = "../../modules/foundry"

  name                = var.name
  disposable          = false
  zones               = var.zones
  nat_per_zone        = true
  public_access_cidrs = var.public_access_cidrs
  admin_role_arns     = var.admin_role_arns
  emails              = var.emails
  log_days            = 365
  bucket_gib          = 20000
  dollars_a_month     = 60000
  stop_automatically  = false

  pools = {
    system = { instance_types = ["m6i.xlarge"], minimum = 3, maximum = 5 }
    collect = {
      instance_types = ["c6i.8xlarge", "c6a.8xlarge", "c5a.8xlarge", "m6i.8xlarge"]
      spot           = true
      maximum        = 32
    }
    gpu = { instance_types = ["g6.4xlarge"], gpus = 1, maximum = 16, disk_gib = 200 }
    training = {
      instance_types          = ["p5.48xlarge"]
      gpus                    = 8
      maximum                 = 4
      disk_gib                = 500
      efa_interfaces          = 32
      capacity_reservation_id = var.training_reservation_id
    }
  }
}
