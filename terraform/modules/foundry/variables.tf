variable "name" {
  description = "Name of the environment: of its cluster and bucket, and prefix of all else."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "name must start with a letter and have 2 to 21 lower-case letters, digits and hyphens."
  }
}

variable "bucket" {
  description = "Name of the bucket; none takes `<name>-<account>`, which nobody else in the world has."
  type        = string
  default     = null
}

variable "disposable" {
  description = "Whether `terraform destroy` takes the data with it."
  type        = bool
}

variable "zones" {
  description = "Availability zones, the one with the GPUs first."
  type        = list(string)
}

variable "nat_per_zone" {
  description = "Whether each zone has a NAT gateway of its own."
  type        = bool
}

variable "pools" {
  description = "Node groups: see modules/cluster."
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
}

variable "public_access_cidrs" {
  description = "Addresses outside the network that may reach the control plane."
  type        = list(string)
  default     = []
}

variable "admin_role_arns" {
  description = "Roles that may do everything in the cluster."
  type        = list(string)
}

variable "emails" {
  description = "Addresses that get the messages of alarms and of the budget."
  type        = list(string)
}

variable "log_days" {
  description = "Days for which logs are kept."
  type        = number
}

variable "bucket_gib" {
  description = "Size of the store, in GiB, from which on somebody should look."
  type        = number
}

variable "dollars_a_month" {
  description = "What a month may cost."
  type        = number
}

variable "stop_automatically" {
  description = "Whether a spent budget stops growth without asking."
  type        = bool
}
