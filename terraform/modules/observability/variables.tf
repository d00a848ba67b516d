variable "name" {
  description = "Name of the cluster, and prefix of what is made here."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name must start with a letter and have 2 to 31 lower-case letters, digits and hyphens."
  }
}

variable "retention_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365, 400, 545, 731], var.retention_days)
    error_message = "retention_days must be one that CloudWatch offers: 7, 14, 30, 60, 90, 180, 365, 400, 545 or 731."
  }
}

variable "emails" {
  description = "Addresses that get a message when an alarm goes off; each confirms once, by the message that it gets."
  type        = list(string)

  validation {
    condition     = length(var.emails) > 0 && alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "emails must hold at least one address such as platform@example.org: an alarm that nobody hears is none."
  }
}

variable "bucket" {
  description = "Bucket of the store, whose size is watched."
  type        = string
}

variable "bucket_gib" {
  description = "Size of the store, in GiB, from which on somebody should look."
  type        = number

  validation {
    condition     = var.bucket_gib > 0
    error_message = "bucket_gib must be positive."
  }
}

variable "nat_gateways" {
  description = "NAT gateways, by zone, whose traffic is watched."
  type        = map(string)
}

variable "nat_gib_an_hour" {
  description = "Traffic of one NAT gateway, in GiB an hour, from which on somebody should look."
  type        = number
  default     = 20

  validation {
    condition     = var.nat_gib_an_hour > 0
    error_message = "nat_gib_an_hour must be positive."
  }
}
