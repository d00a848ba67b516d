variable "name" {
  description = "Name of the environment."
  type        = string
  default     = "jepa-prod"
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS region such as us-east-1."
  }
}

variable "zones" {
  description = "Availability zones of that region, the one with the GPUs first."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "zones must lie in the region: give those of var.region, such as ${var.region}a."
  }
}

variable "admin_role_arns" {
  description = "IAM roles of the people or the CI that may do everything in the cluster."
  type        = list(string)
}

variable "emails" {
  description = "Addresses that get the messages of alarms and of the budget."
  type        = list(string)
}

variable "public_access_cidrs" {
  description = "Addresses from which the control plane can be reached; none leaves it to the network."
  type        = list(string)
  default     = []
}

variable "training_reservation_id" {
  description = "Capacity reservation of the training nodes; without one AWS may have none to give."
  type        = string
  default     = null
}
