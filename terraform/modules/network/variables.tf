variable "name" {
  description = "Name of the network, and prefix of what is in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name must start with a letter and have 2 to 31 lower-case letters, digits and hyphens."
  }
}

variable "cidr" {
  description = "Addresses of the network. Each pod takes one, so a small range limits how far collection can grow."
  type        = string
  default     = "10.64.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) <= 20 && tonumber(split("/", var.cidr)[1]) >= 16, false)
    error_message = "cidr must be an IPv4 range of /16 to /20, such as 10.64.0.0/16: every pod takes an address of it."
  }
}

variable "zones" {
  description = "Availability zones, the one with the GPUs first."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 3 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name 2 or 3 different availability zones: EKS asks for two, and the address plan has room for three."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has a NAT gateway of its own, so that the loss of one zone cuts off no other."
  type        = bool
  default     = false
}

variable "log_group_arn" {
  description = "Log group that takes the network's flow logs."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:logs:", var.log_group_arn))
    error_message = "log_group_arn must be the ARN of a CloudWatch log group."
  }
}
