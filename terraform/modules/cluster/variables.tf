variable "name" {
  description = "Name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name must start with a letter and have 2 to 31 lower-case letters, digits and hyphens."
  }
}

variable "kubernetes_version" {
  description = "Version of Kubernetes; the manifests of infra/kubernetes/ are checked against its schemas."
  type        = string
  default     = "1.34"

  validation {
    condition     = can(regex("^1\\.(3[2-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version must be 1.32 or later, such as 1.34."
  }
}

variable "vpc_id" {
  description = "Network of the cluster."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one for each zone; pools with `one_zone` use the first."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must hold subnets of at least two zones: EKS asks for them."
  }
}

variable "public_access_cidrs" {
  description = "Addresses outside the network that may reach the control plane; none leaves it to the network."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]) >= 16, false)])
    error_message = "public_access_cidrs must be ranges of /16 or smaller, such as your office's 203.0.113.0/24; the control plane is never open to everybody."
  }
}

variable "admin_role_arns" {
  description = "Roles of people or CI that may do everything in the cluster."
  type        = list(string)

  validation {
    condition     = length(var.admin_role_arns) > 0 && alltrue([for arn in var.admin_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", arn))])
    error_message = "admin_role_arns must hold the ARN of at least one IAM role, or nobody could use the cluster."
  }
}

variable "log_group" {
  description = "Log group of the control plane, which must exist before the cluster does."
  type        = string

  validation {
    condition     = can(regex("^/aws/eks/.+/cluster$", var.log_group))
    error_message = "log_group must be /aws/eks/<cluster>/cluster, where EKS writes."
  }
}

# `system` must be among the pools and takes what tolerates no taint; every other pool is tainted
# `jepa-foundry/pool=<name>:NoSchedule`, a pool with GPUs also `nvidia.com/gpu=present:NoSchedule`. `efa_interfaces` is
# the number of network cards of the instance type, for training over several nodes: such a pool lies in one zone and one
# placement group.
variable "pools" {
  description = "Node groups by name; `system` must be among them."
  type = map(object({
    instance_types          = list(string)
    spot                    = optional(bool, false)
    gpus                    = optional(number, 0)
    minimum                 = optional(number, 0)
    maximum                 = number
    disk_gib                = optional(number, 100)
    efa_interfaces          = optional(number, 0)
    one_zone                = optional(bool, false)
    capacity_reservation_id = optional(string)
  }))

  validation {
    condition     = contains(keys(var.pools), "system") && try(var.pools["system"].minimum >= 1 && !var.pools["system"].spot, false)
    error_message = "pools must hold `system` with a minimum of at least 1 and without spot: the operators and the Prefect server run there."
  }

  validation {
    condition     = alltrue([for name in keys(var.pools) : can(regex("^[a-z][a-z0-9-]{1,20}$", name))])
    error_message = "each name of pools must start with a letter and have 2 to 21 lower-case letters, digits and hyphens."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.minimum >= 0 && pool.maximum >= 1 && pool.minimum <= pool.maximum])
    error_message = "each of pools must have 0 <= minimum <= maximum and a maximum of at least 1; leave out a pool that is not wanted."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.disk_gib >= 50])
    error_message = "each of pools must have a disk_gib of at least 50: an image with CUDA alone takes some 10 GiB, and is unpacked beside what was sent."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : !(pool.spot && pool.gpus > 0)])
    error_message = "a pool of pools has GPUs and spot: training is not to be interrupted, so GPUs are on demand or reserved."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.spot || length(pool.instance_types) == 1])
    error_message = "a pool of pools without spot has several instance_types, but the autoscaler plans with the first one only; several are for spot, all of the same size."
  }

  validation {
    condition     = alltrue([for pool in values(var.pools) : pool.efa_interfaces == 0 || (pool.gpus > 0 && pool.efa_interfaces <= 32)])
    error_message = "a pool of pools has efa_interfaces but no GPUs, or more than 32: EFA joins the GPUs of several nodes."
  }
}
